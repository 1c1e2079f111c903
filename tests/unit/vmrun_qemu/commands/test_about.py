"""about."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.vmrun_qemu.commands.about import description
from harness.vmrun_qemu.faults.catalog import FAULTS
from harness.vmrun_qemu.faults.injection import VARIABLE
from harness.vmrun_qemu.qemu.locate import Qemu


class OldQemu(Qemu):
    """A QEMU 7.2 that is not there."""

    def version(self) -> tuple[str, tuple[int, ...]]:
        return "7.2", (7, 2)


def test_about_lists_the_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMRUN_QEMU_ACCEL", "tcg")
    monkeypatch.setenv(VARIABLE, "list-empty,hang:stop")
    answer = description(OldQemu(Path("qemu")))
    assert answer["qemu"] == {"path": "qemu", "version": "7.2"}
    assert answer["faults"]["requested"] == ["list-empty", "hang:stop"]
    assert set(answer["faults"]["known"]) == set(FAULTS)
