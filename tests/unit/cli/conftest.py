"""The `lab` command in this process, on a lab file of its own and a vmrun that is scripted."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command_line import CommandLine


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setenv("LAB_CACHE_DIR", str(tmp_path / "cache"))
    return CommandLine(tmp_path)
