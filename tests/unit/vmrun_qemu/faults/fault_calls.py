"""Commands with injected faults."""

from __future__ import annotations

import pytest

from harness.vmrun_qemu.faults.injection import VARIABLE, Call


def inject(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Set the faults of the commands that follow."""
    monkeypatch.setenv(VARIABLE, text)


def call(verb: str, *parameters: str) -> Call:
    """Return a call whose command has the exit status 77."""
    return Call(verb, parameters, lambda: 77)
