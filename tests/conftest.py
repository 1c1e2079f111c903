"""For all of this project's tests."""

from __future__ import annotations

import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Have warnings be errors here. A lab is not red by what a dependency says of its future."""
    config.addinivalue_line("filterwarnings", "error")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers for `-n auto`: half of its time a test waits, for a process, a guest or a clock."""
    return 2 * (os.cpu_count() or 1)
