"""Fixtures of the work-alike's tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home of the work-alike; it does not exist yet."""
    home = tmp_path / "home"
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(home))
    return home
