"""Settings for all of this project's tests."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Directories and modules whose tests take seconds each, the slowest first; all others take milliseconds.
SLOW_FIRST = (
    "tests/contract/vmrun_qemu/test_sequences.py",
    "tests/sessions/test_kill.py",
    "tests/faults/",
    "tests/contract/",
    "tests/sessions/",
)
# Beginnings of the names of tests that work in the real guest.
REAL_GUEST = (
    "tests/contract/vmrun_qemu/test_guest_",
    "tests/contract/test_contract_guest.py",
    "tests/contract/test_contract_driver.py::test_the_driver_works_in_a_guest",
)


def pytest_configure(config: pytest.Config) -> None:
    """Treat warnings as errors in this project's tests.

    A lab of a user is not red by what a dependency announces for its future.
    """
    config.addinivalue_line("filterwarnings", "error")
    settings.register_profile("busy host", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("busy host")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first, so that no worker ends long after the others."""
    for item in items:
        if "real_guest" in getattr(item, "fixturenames", ()) or item.get_closest_marker("guest"):
            assert item.nodeid.startswith(REAL_GUEST), f"add {item.nodeid} to REAL_GUEST in tests/conftest.py"
    if os.environ.get("PYTEST_XDIST_WORKER"):
        items.sort(key=lambda item: next((i for i, path in enumerate(SLOW_FIRST) if item.nodeid.startswith(path)), 99))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object | None:
    """Return the scheduler of `--dist loadgroup`: the real guest's tests are one group, and its worker begins with it.

    A real guest takes a minute to boot, and each worker would boot one of its own. The scheduler of pytest-xdist 3.8
    finds no group: it writes them to an attribute that pytest 9.2 does not read.
    """
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415  (only where xdist runs)

    class OneGuestScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "real guest" if nodeid.startswith(REAL_GUEST) else nodeid

    return OneGuestScheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers for `-n auto`: two for each processor.

    Half of its time a test waits, for a process, a guest or a clock.
    """
    return 2 * (os.cpu_count() or 1)
