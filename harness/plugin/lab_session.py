"""State of a pytest session that collects the tests of a lab."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.core.layout import RunFiles
from harness.lab.selection import Selection


@dataclass
class LabSession:
    """The lab of a pytest session.

    Attributes:
        selection: The lab and the hypervisor.
        scenarios: The directory of the lab's tests.
        run_id: The name of the run.
        run: The files of the run.
        cleanup: Closed at the end of pytest, last entry first.
        items: The selected tests of the lab.
        deselected: The tests that were collected and not selected.
    """

    selection: Selection
    scenarios: Path
    run_id: str
    run: RunFiles
    cleanup: contextlib.ExitStack
    items: list[pytest.Item] = field(default_factory=list)
    deselected: list[pytest.Item] = field(default_factory=list)


KEY = pytest.StashKey[LabSession]()


def session_of(config: pytest.Config) -> LabSession | None:
    """Return the session's lab, or None where no lab is collected."""
    return config.stash.get(KEY, None)
