"""For all of this project's tests."""

from __future__ import annotations

import os

import pytest

# Directories and modules whose tests take seconds each, the slowest first; all others take milliseconds.
SLOW_FIRST = (
    "tests/contract/vmrun_qemu/test_sequences.py",
    "tests/sessions/test_kill.py",
    "tests/faults/",
    "tests/contract/",
    "tests/sessions/",
)


def pytest_configure(config: pytest.Config) -> None:
    """Treat warnings as errors in this project's tests.

    A lab of a user is not red by what a dependency announces for its future.
    """
    config.addinivalue_line("filterwarnings", "error")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run slow tests first, and all tests of the real guest on one worker.

    So no worker ends long after the others. A real guest takes a minute to boot, and each worker would boot one of
    its own.

    A real guest takes a minute to boot, and each worker would boot one of its own.
    """
    if os.environ.get("PYTEST_XDIST_WORKER") is None:
        return
    for item in items:
        if "real_guest" in getattr(item, "fixturenames", ()) or item.get_closest_marker("guest"):
            item.add_marker(pytest.mark.xdist_group("guest"))
    items.sort(key=lambda item: next((i for i, path in enumerate(SLOW_FIRST) if item.nodeid.startswith(path)), 99))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers for `-n auto`: two for each processor.

    Half of its time a test waits, for a process, a guest or a clock.
    """
    return 2 * (os.cpu_count() or 1)
