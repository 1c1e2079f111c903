"""The part of the plugin that every pytest session loads: small and quick.

It adds the options, and loads the rest where the command line names a lab. The rest comes last, so that its fixture
`host` (the guest) stands before testinfra's (this computer). The entry point has the name of this module: pytest loads
it once, also where a conftest or `-p` names `harness.plugin`.
"""

from __future__ import annotations

from importlib import import_module

import pytest

from harness.plugin.locate import LAB_FILE, lab_directory
from harness.plugin.options import add_options

_PARTS = ("harness.plugin.hooks", "harness.plugin.fixtures")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a lab."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Load the rest of the plugin where the command line names a lab."""
    config.addinivalue_line("markers", "phase(name): the phase of the lab that the test belongs to")
    config.addinivalue_line("markers", "claim(name, ...): the claims that a test of the guests counts for")
    if lab_directory(config) is None:
        return
    for name in _PARTS:
        config.pluginmanager.register(import_module(name), name)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Refuse a test of a lab in a session without one.

    Its `host` would be this computer, and what it asserts could hold there.
    """
    marker = item.get_closest_marker("phase")
    if marker is None or item.config.pluginmanager.has_plugin(_PARTS[0]):
        return
    from harness.core.verdict import Phase  # noqa: PLC0415 - only where a test has the mark

    if marker.args and marker.args[0] in {phase.value for phase in Phase}:
        raise pytest.UsageError(
            f"{item.path.parent / LAB_FILE}: no lab file here, and {item.nodeid} is a test of a lab\n"
            "  remedy:   write a lab.yaml beside the test, or give --lab FILE"
        )
