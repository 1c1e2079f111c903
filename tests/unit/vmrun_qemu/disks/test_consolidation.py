"""Consolidation on real disks: which disks are merged, deleted, or kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from disk_lab import mark, marks, needs_qemu_img, new_vm

from harness.vmrun_qemu.disks import chains, consolidation, snapshots


@needs_qemu_img
def test_an_unused_overlay_is_deleted_and_a_needed_disk_stays(tmp_path: Path) -> None:
    vm = new_vm(tmp_path / "vm")
    mark(vm, 1)
    unused = vm.path / "m-000009.vmdk"
    chains.make_overlay(vm.path / "m.vmdk", unused)
    consolidation.consolidate(vm, [unused, vm.path / "m.vmdk"])
    assert not unused.exists()
    assert marks(*vm.disks().values()) == {1}
    assert not vm.tree.needs_consolidation


@needs_qemu_img
def test_an_unneeded_parent_takes_the_place_of_its_only_overlay(tmp_path: Path) -> None:
    vm = new_vm(tmp_path / "vm")
    mark(vm, 1)
    snapshots.take(vm, "one")
    mark(vm, 2)
    (parent,) = vm.snapshot_disks()
    vm.save_tree(replace(vm.tree, snapshots=()))
    consolidation.consolidate(vm, [parent])
    assert list(vm.disks().values()) == [parent]
    assert marks(parent) == {1, 2}


@needs_qemu_img
def test_a_disk_below_a_clone_stays(tmp_path: Path) -> None:
    vm = new_vm(tmp_path / "vm")
    mark(vm, 1)
    snapshots.take(vm, "lower")
    mark(vm, 2)
    snapshots.take(vm, "upper")
    (tmp_path / "clone.vmx").touch()
    lower, upper = vm.tree.snapshots
    vm.save_tree(replace(vm.tree, snapshots=(replace(upper, parent=0, clones=(str(tmp_path / "clone.vmx"),)),)))
    lower_disk = vm.resolve(lower.disks[0][1])
    consolidation.consolidate(vm, [lower_disk])
    assert marks(lower_disk) == {1}


@needs_qemu_img
@pytest.mark.parametrize("interrupted", [True, False])
def test_interrupted_work_is_finished_only_where_it_is_marked(tmp_path: Path, *, interrupted: bool) -> None:
    vm = new_vm(tmp_path / "vm")
    mark(vm, 1)
    snapshots.take(vm, "one")
    mark(vm, 2)
    (overlay,), (base,) = vm.disks().values(), vm.snapshot_disks()
    chains.commit(overlay)  # the parent has a new content id now, as after a crash in the middle of a merge
    vm.save_tree(replace(vm.tree, snapshots=(), needs_consolidation=interrupted))
    consolidation.finish_interrupted(vm)
    assert vm.tree.needs_consolidation is False
    assert overlay.exists() is not interrupted
    if interrupted:
        assert marks(base) == {1, 2}
