"""CD drives that the guest has locked, with a fake QEMU."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fake_qmp import RefusedError, fake_qmp

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.qemu import qmp
from harness.vmrun_qemu.supervisor import hotplug
from harness.vmrun_qemu.supervisor.running_vm import RunningVm
from harness.vmrun_qemu.vmfiles.devices import Drive
from harness.vmrun_qemu.vmfiles.vmware_log import VmLog
from harness.vmware.vmx import Vmx

LOCKED = "Device 'sata0-1' is locked and force was not specified, wait for tray to open and try again"


class FakeQemu:
    """A CD drive that the guest may lock; released after `grants` queries."""

    def __init__(
        self, *, loaded: bool = True, is_open: bool = False, locked: bool = False, grants: int = 1 << 30
    ) -> None:
        self.loaded = loaded
        self.open = is_open
        self.locked = locked
        self.grants = grants
        self.asked = False
        self.commands: list[str] = []

    def one(self, name: str, arguments: Mapping[str, Any]) -> Any:
        if name == "query-block":
            return self.query()
        self.commands.append(name + (" by force" if arguments.get("force") else ""))
        if name == "eject" and self.locked and not arguments["force"]:
            self.asked = True
            raise RefusedError(LOCKED)
        if name == "blockdev-remove-medium" and not self.open:
            raise RefusedError("Tray of device 'sata0-1' is not open")
        self.loaded = name == "blockdev-change-medium"
        self.open = not self.loaded
        return {}

    def query(self) -> list[Any]:
        if self.asked:
            self.grants -= 1
            self.open = self.open or self.grants <= 0
        drive = {"qdev": "/machine/peripheral/sata0-1", "tray_open": self.open}
        return [{"qdev": "sata0-0", "inserted": {}}, {**drive, "inserted": {}} if self.loaded else drive]


def running(tmp_path: Path, address: str, vmx: str) -> RunningVm:
    (tmp_path / "a.iso").touch()
    text = (
        'sata0.present = "TRUE"\nsata0:1.present = "TRUE"\nsata0:1.deviceType = "cdrom-image"\n'
        'sata0:1.fileName = "a.iso"\nsata0:1.startConnected = "FALSE"\n'
    )
    drive = Drive("sata", 0, 1, cdrom=True, path=None)
    machine = SimpleNamespace(drives=[drive], nics=[], serials=[])
    vm = SimpleNamespace(
        machine=machine, vmx=Vmx.parse(text + vmx), variables={}, ask=functools.partial(qmp.ask, address),
        path=tmp_path / "a.vmx", log=VmLog(tmp_path),
    )  # fmt: skip
    return cast("RunningVm", vm)


def plug(tmp_path: Path, qemu: FakeQemu, vmx: str = "", *, connected: bool, grant_s: float = 10.0) -> None:
    """Connect or disconnect the CD drive of a VM on that QEMU."""
    with fake_qmp(qemu.one) as server:
        hotplug.plug(running(tmp_path, server.address, vmx), "SATA0:1", connected=connected, grant_s=grant_s)


@pytest.mark.parametrize(
    ("qemu", "connected", "commands"),
    [
        (FakeQemu(), True, []),
        (FakeQemu(loaded=False), False, []),
        (FakeQemu(loaded=False), True, ["blockdev-change-medium"]),
        (FakeQemu(is_open=True), True, ["blockdev-change-medium"]),
        (FakeQemu(is_open=True), False, ["eject"]),
        (FakeQemu(), False, ["eject"]),
        (FakeQemu(locked=True, grants=3), False, ["eject", "blockdev-remove-medium"]),
    ],
)
def test_the_commands_that_a_change_needs(tmp_path: Path, qemu: FakeQemu, connected: bool, commands: list[str]) -> None:
    plug(tmp_path, qemu, connected=connected)
    assert qemu.commands == commands
    assert (qemu.loaded and not qemu.open) is connected


def test_a_lock_that_is_kept_is_a_question_without_an_answer(tmp_path: Path) -> None:
    qemu = FakeQemu(locked=True)
    with pytest.raises(Failure, match="The operation was canceled"):
        plug(tmp_path, qemu, connected=False, grant_s=0.2)
    assert qemu.loaded
    assert "Msg_Post: Question" in (tmp_path / "vmware.log").read_text(encoding="utf-8")


def test_a_lock_that_is_kept_is_broken_where_questions_have_an_answer(tmp_path: Path) -> None:
    qemu = FakeQemu(locked=True)
    plug(tmp_path, qemu, 'msg.autoAnswer = "TRUE"\n', connected=False, grant_s=0.2)
    assert qemu.commands == ["eject", "eject by force"]
    assert "Msg_Post: Warning" in (tmp_path / "vmware.log").read_text(encoding="utf-8")


def test_another_error_of_qemu_is_no_question(tmp_path: Path) -> None:
    class Broken(FakeQemu):
        def one(self, name: str, arguments: Mapping[str, Any]) -> Any:
            if name == "eject":
                raise RefusedError("out of order")
            return super().one(name, arguments)

    with pytest.raises(qmp.QmpError, match="out of order"):
        plug(tmp_path, Broken(), connected=False)
