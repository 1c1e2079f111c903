"""Snapshots of a VM that is off, on real disks."""

from __future__ import annotations

from pathlib import Path

import pytest
from disk_lab import mark, marks, needs_qemu_img, new_vm

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.disks import snapshots


@needs_qemu_img
def test_a_snapshot_keeps_the_state_to_which_the_vm_reverts(tmp_path: Path) -> None:
    vm = new_vm(tmp_path / "vm")
    mark(vm, 1)
    snapshots.take(vm, "one")
    mark(vm, 2)
    assert marks(*vm.disks().values()) == {1, 2}
    snapshots.revert(vm, "one")
    assert marks(*vm.disks().values()) == {1}
    assert [snapshot.name for snapshot in vm.tree.snapshots] == ["one"]
    assert len(list(vm.path.glob("m*.vmdk"))) == 2, "the overlay of the abandoned state is deleted"


@needs_qemu_img
def test_a_deleted_snapshot_leaves_the_present_and_the_other_snapshots(tmp_path: Path) -> None:
    vm = new_vm(tmp_path / "vm")
    for number, name in enumerate(("one", "two"), start=1):
        mark(vm, number)
        snapshots.take(vm, name)
    mark(vm, 3)
    snapshots.delete(vm, "one", children=False)
    assert marks(*vm.disks().values()) == {1, 2, 3}
    assert [marks(disk) for disk in vm.snapshot_disks()] == [{1, 2}]
    snapshots.delete(vm, "two", children=True)
    assert marks(*vm.disks().values()) == {1, 2, 3}
    assert [file.name for file in vm.path.iterdir() if file.suffix in (".vmdk", ".vmsn")] == ["m.vmdk"]


@needs_qemu_img
def test_a_refused_snapshot_changes_nothing(tmp_path: Path) -> None:
    vm = new_vm(tmp_path / "vm")
    snapshots.take(vm, "one")
    before = sorted(file.name for file in vm.path.iterdir())
    with pytest.raises(Failure, match="already exists"):
        snapshots.take(vm, "one")
    vm.vmx.set("sata0:0.mode", "independent-persistent")
    with pytest.raises(Failure, match="independent disks"):
        snapshots.take(vm, "two", lambda target: target.touch())
    with pytest.raises(Failure, match="does not exist"):
        snapshots.revert(vm, "three")
    assert sorted(file.name for file in vm.path.iterdir()) == before


@needs_qemu_img
def test_a_suspended_vm_keeps_its_memory_when_its_snapshot_is_deleted(tmp_path: Path) -> None:
    vm = new_vm(tmp_path / "vm")
    (vm.path / "m.vmss").write_bytes(b"memory")
    vm.vmx.set("checkpoint.vmState", "m.vmss")
    snapshots.take(vm, "suspended")
    (snapshot,) = vm.tree.snapshots
    assert snapshot.memory
    vm.vmx.set("checkpoint.vmState", snapshot.file)
    snapshots.delete(vm, "suspended", children=False)
    assert vm.resolve(vm.vmx.get("checkpoint.vmState") or "").read_bytes() == b"memory"
