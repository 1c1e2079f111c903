"""The pytest plugin: options, hooks, fixtures, and verdicts as test outcomes.

Entry: `harness.plugin.entry`, an entry point of the package; a `conftest.py` can name `harness.plugin` instead.

    entry, options, locate        what every session loads; the rest is loaded where the command line names a lab
    guards, requested             what the collected tests ask for
    hooks, lab_session            a session that collects the tests of a lab
    run_hooks, opening            a session that runs them; loaded for a run only
    fixtures                      what the tests of a lab use
    assertions                    verdicts as test outcomes
    terminal, progress            output

PYTEST_DONT_REWRITE: the entry point has imported this package before a conftest names it.
"""

pytest_plugins = ("harness.plugin.entry",)
