"""A quiesced VM with a fake QEMU.

After any failure it continues with its disks, or it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.vmrun_qemu.qemu import arguments, qmp
from harness.vmrun_qemu.supervisor import live_operations
from harness.vmrun_qemu.supervisor.running_vm import RunningVm
from harness.vmrun_qemu.vmfiles.devices import Drive

DISKS = [Drive("sata", 0, unit, cdrom=False, path=Path(f"/vms/{unit}.vmdk")) for unit in (0, 1)]


class FakeQemu:
    """Block nodes and vCPUs, with commands that are not answered in time.

    They are `failures` commands from number `fails_at` on; with `late`, they are executed nevertheless.
    """

    def __init__(self, fails_at: int = -1, *, failures: int = 1, late: bool = False) -> None:
        self.below = {f"disk-{drive.id}": f"image-{drive.id}" for drive in DISKS}
        self.files = {f"image-{drive.id}": str(drive.path) for drive in DISKS}
        self.runs = True
        self.ended = False
        self.asked: list[str] = []
        self.silent = range(fails_at, fails_at + failures) if fails_at >= 0 else range(0)
        self.late = late

    def ask(self, *commands: tuple[str, Mapping[str, Any]], timeout_s: float = 20.0) -> list[Any]:
        return [self.one(name, settings) for name, settings in commands]

    def one(self, name: str, settings: Mapping[str, Any]) -> Any:
        number = len(self.asked)
        self.asked.append(name)
        if number in self.silent:
            if self.late:
                self.do(name, settings)
            raise qmp.QmpSilentError("QEMU did not answer")
        return self.do(name, settings)

    def do(self, name: str, settings: Mapping[str, Any]) -> Any:
        if name in ("stop", "cont"):
            self.runs = name == "cont"
        elif name == "query-blockstats":
            return [
                *({"node-name": node, "parent": {"node-name": below}} for node, below in self.below.items()),
                *({"node-name": node} for node in self.files),
            ]
        elif name == "query-named-block-nodes":
            return [{"node-name": node, "image": {"virtual-size": 1 << 20}} for node in self.below]
        elif name == "blockdev-add":
            if settings["node-name"] in self.files:
                raise qmp.QmpError("Duplicate nodes")
            self.files[settings["node-name"]] = self.file(settings)
        elif name == "blockdev-reopen":
            (options,) = settings["options"]
            assert options["file"] in self.files
            self.below[options["node-name"]] = options["file"]
        elif name == "blockdev-del":
            if settings["node-name"] in self.below.values():
                raise qmp.QmpError("in use")
            if self.files.pop(settings["node-name"], None) is None:
                raise qmp.QmpError("no such node")
        return {}

    def file(self, node: Mapping[str, Any]) -> str:
        inner = node.get("file")
        return str(inner["filename"]) if isinstance(inner, Mapping) else str(node["driver"])

    def guest_has_its_disks(self) -> bool:
        return [Path(self.files[self.below[f"disk-{drive.id}"]]) for drive in DISKS] == [drive.path for drive in DISKS]


def machine(qemu: FakeQemu) -> RunningVm:
    def terminate() -> None:
        qemu.ended = True

    vm = SimpleNamespace(
        record={"phase": "running"},
        ask=qemu.ask,
        machine=SimpleNamespace(drives=DISKS),
        disks=DISKS,
        ending=False,
        is_paused=False,
        child=SimpleNamespace(poll=lambda: None, terminate=terminate),
        log=SimpleNamespace(post=lambda *_: None),
    )
    vm.enter = lambda phase: vm.record.update(phase=phase)
    return cast("RunningVm", vm)


def stand_still(qemu: FakeQemu) -> bool:
    """Return whether it worked; while it does, no disk is open."""
    try:
        with live_operations.quiesced(machine(qemu)):
            assert not qemu.runs
            assert {qemu.files[below] for below in qemu.below.values()} == {"null-co"}
            assert not [file for file in qemu.files.values() if file.endswith(".vmdk")]
    except qmp.QmpError:
        return False
    return True


def test_the_fake_qemu_gets_the_image_node_of_the_real_one() -> None:
    assert Path(FakeQemu().file(arguments.image_node(Path("/vms/0.vmdk")))) == Path("/vms/0.vmdk")


def test_the_disks_are_closed_and_opened_again() -> None:
    qemu = FakeQemu()
    assert stand_still(qemu)
    assert (qemu.runs, qemu.ended, qemu.guest_has_its_disks()) == (True, False, True)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("failures", [1, 2, 1000])
def test_no_guest_is_left_frozen_or_on_a_blank_disk(failures: int, *, late: bool) -> None:
    whole = FakeQemu()
    stand_still(whole)
    for number in range(len(whole.asked)):
        qemu = FakeQemu(number, failures=failures, late=late)
        worked = stand_still(qemu)
        fine = qemu.runs and qemu.guest_has_its_disks()
        untouched = qemu.guest_has_its_disks() and "blockdev-reopen" not in qemu.asked
        assert qemu.ended or fine or (untouched and not worked), (number, qemu.asked)
        if failures == 1 and number < 2:
            assert fine
            assert not qemu.ended


@pytest.mark.parametrize("late", [False, True])
def test_a_vm_that_could_not_be_paused_runs(*, late: bool) -> None:
    qemu = FakeQemu(0, late=late)
    vm = machine(qemu)
    with pytest.raises(qmp.QmpError):
        live_operations.pause(vm)
    assert (qemu.runs, vm.record["phase"]) == (True, "running")
