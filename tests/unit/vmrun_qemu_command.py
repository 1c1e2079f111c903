"""Runs commands of `vmrun-qemu` in this process."""

from __future__ import annotations

import pytest

from harness.vmrun_qemu.main import main


def run_main(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Run a command; return its exit status and its output."""
    status = main(words)
    output, error = capsys.readouterr()
    assert error == ""
    return status, output
