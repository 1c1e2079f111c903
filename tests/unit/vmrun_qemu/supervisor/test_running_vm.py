"""The state of a running VM in its supervisor."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from harness.vmrun_qemu.base import home, records
from harness.vmrun_qemu.supervisor.running_vm import RunningVm
from harness.vmrun_qemu.vmfiles.devices import Drive
from harness.vmrun_qemu.vmfiles.vmss import State
from harness.vmrun_qemu.vmfiles.vmware_log import VmLog
from harness.vmware.vmx import Vmx

DRIVES = [
    Drive("sata", 0, 0, cdrom=False, path=Path("a.vmdk")), Drive("sata", 0, 1, cdrom=True, path=Path("seed.iso")),
    Drive("sata", 0, 2, cdrom=False, path=None),
]  # fmt: skip


def running_vm(folder: Path, saved: State | None = None) -> RunningVm:
    prepared = SimpleNamespace(vmx=Vmx.parse(""), machine=SimpleNamespace(drives=DRIVES), folder=folder, saved=saved)
    none = {"pid": 0, "created": 0.0}
    record = {
        "vmx": home.canonical(str(folder / "a.vmx")), "phase": "starting", "resumed": False, "supervisor": none,
        "qemu": none, "qmp": "", "service": "", "socket_dir": "", "plugs": [], "locks": [], "accelerator": "tcg",
    }  # fmt: skip
    return RunningVm(cast("Any", prepared), cast("Any", None), cast("records.Record", record), VmLog(folder))


def test_each_phase_is_in_the_record_on_disk(tmp_path: Path) -> None:
    vm = running_vm(tmp_path)
    for phase, is_paused in (("running", False), ("paused", True)):
        vm.enter(phase)
        saved = records.load(home.vm_dir(str(vm.path)))
        assert saved is not None
        assert (saved["phase"], vm.is_paused) == (phase, is_paused)


def test_disks_are_the_drives_with_a_disk_image(tmp_path: Path) -> None:
    assert [drive.name for drive in running_vm(tmp_path).disks] == ["sata0:0"]


def test_a_resumed_vm_keeps_its_hot_plugged_devices_and_variables(tmp_path: Path) -> None:
    state = State("", "UTF-8", memory=True, plugged={"sata0:1": False}, variables={"guestinfo.a": "1"})
    vm = running_vm(tmp_path, state)
    assert (vm.plugged, vm.variables) == ({"sata0:1": False}, {"guestinfo.a": "1"})
    assert (running_vm(tmp_path).plugged, running_vm(tmp_path).variables) == ({}, {})
