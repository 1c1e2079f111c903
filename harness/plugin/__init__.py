"""The pytest plugin: options, hooks, fixtures, and verdicts as test outcomes.

Entry: `harness.plugin`, as `conftest.py` names it. It does nothing unless a lab is collected.

    options, requested            what the command line asks for
    hooks, lab_session            a session that collects the tests of a lab
    run_hooks, opening            a session that runs them; loaded for a run only
    fixtures                      what the tests of a lab use
    assertions                    verdicts as test outcomes
    terminal, progress            output
"""

pytest_plugins = ("harness.plugin.hooks", "harness.plugin.fixtures")
