"""The pytest plugin: options, hooks and fixtures, and the translation of verdicts into test outcomes.

Entry: `harness.plugin`, as `conftest.py` names it. It does nothing unless a lab is collected.
"""

pytest_plugins = ("harness.plugin.hooks",)
