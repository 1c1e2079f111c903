"""Take, revert and delete snapshots on the files of a VM.

The VM is off, or quiesced with its images closed.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness.vmrun_qemu.base.messages import DISKS_BUSY, MEMORY_ON_INDEPENDENT, SNAPSHOT_INCONSISTENT, Failure
from harness.vmrun_qemu.disks import chains, images
from harness.vmrun_qemu.disks.consolidation import consolidate, finish_interrupted
from harness.vmrun_qemu.disks.qemu_img import DiskError
from harness.vmrun_qemu.disks.vm_directory import VmDirectory
from harness.vmrun_qemu.vmfiles import vmss
from harness.vmrun_qemu.vmfiles.owned_files import free_overlay
from harness.vmrun_qemu.vmfiles.vmsd import Snapshot
from harness.vmrun_qemu.vmfiles.vmss import State, StateError
from harness.vmware.vmx import Vmx

# Writes a `.vmsn` with the VM's memory.
SaveMemory = Callable[[Path], None]


def take(directory: VmDirectory, name: str, save_memory: SaveMemory | None = None) -> None:
    """Take a snapshot: freeze the disks and continue with overlays on them.

    The saved memory of a suspended VM becomes part of the snapshot; that of a running VM is written by `save_memory`.

    Raises:
        Failure: The name is taken, a disk cannot have an overlay, a snapshot with memory would leave out an independent
            disk, or there is no room; nothing is changed.
    """
    directory.tree.check_new(name)
    if (save_memory or directory.vmx.get("checkpoint.vmState")) and directory.has_independent_disks():
        raise Failure(MEMORY_ON_INDEPENDENT)
    finish_interrupted(directory)
    uid = directory.tree.last_uid + 1
    target = directory.vmx_path.with_name(f"{directory.vmx_path.stem}-Snapshot{uid}.vmsn")
    frozen = directory.disks()
    made: list[Path] = []
    try:
        suspended = _save_state(directory, target, save_memory)
        overlays = {node: _overlay(directory, disk, made) for node, disk in frozen.items()}
    except BaseException:
        for file in [target, *made]:
            images.remove(file)
        raise
    disks = tuple((node, directory.name_of(disk)) for node, disk in frozen.items())
    memory = suspended or save_memory is not None
    created_us = time.time_ns() // 1000
    snapshot = Snapshot(uid, directory.tree.current, name, target.name, memory, created_us, disks)
    directory.set_disks(overlays)
    directory.save(directory.tree.with_new(snapshot))


def revert(directory: VmDirectory, name: str) -> None:
    """Revert to a snapshot.

    Afterwards the VM is suspended if the snapshot has memory, else off.

    Raises:
        Failure: There is no such snapshot, its files are missing, or there is no room; nothing is changed.
    """
    snapshot = directory.tree.named(name)
    finish_interrupted(directory)
    old_disks, old_state = list(directory.disks().values()), directory.vmx.get("checkpoint.vmState") or ""
    vmx = _configuration(directory, snapshot)
    made: list[Path] = []
    try:
        overlays = {node: _overlay(directory, directory.resolve(file), made) for node, file in snapshot.disks}
    except BaseException:
        for file in made:
            images.remove(file)
        raise
    directory.vmx = vmx
    directory.vmx.set("checkpoint.vmState", snapshot.file if snapshot.memory else "")
    directory.set_disks(overlays)
    directory.save(replace(directory.tree, current=snapshot.uid))
    _delete_suspended_memory(directory, old_state)
    consolidate(directory, old_disks)


def delete(directory: VmDirectory, name: str, *, children: bool) -> None:
    """Delete a snapshot; with `children`, its descendants too.

    The present state of the VM stays.

    Raises:
        Failure: There is no such snapshot, or a linked clone uses it; nothing is changed.
    """
    snapshot = directory.tree.named(name)
    finish_interrupted(directory)
    uids = directory.tree.below(snapshot.uid) if children else {snapshot.uid}
    gone = [item for item in directory.tree.snapshots if item.uid in uids]
    clones = [clone for item in gone for clone in directory.existing_clones(item)]
    if clones:
        raise Failure(f"{DISKS_BUSY}: {', '.join(clones)}")
    _keep_suspended_memory(directory, gone)
    disks = [directory.resolve(file) for item in gone for _, file in item.disks]
    directory.save(replace(directory.tree.without(uids), needs_consolidation=True))
    for item in gone:
        directory.resolve(item.file).unlink(missing_ok=True)
    consolidate(directory, disks)


def _save_state(directory: VmDirectory, target: Path, save_memory: SaveMemory | None) -> bool:
    """Write the `.vmsn`; return whether it holds a suspended VM's memory."""
    if save_memory is not None:
        save_memory(target)
        return False
    saved = directory.vmx.get("checkpoint.vmState")
    if saved:
        shutil.copyfile(directory.resolve(saved), target)
        return True
    with target.open("wb") as stream:
        vmss.write_head(stream, State.of_powered_off(directory.vmx))
    return False


def _overlay(directory: VmDirectory, disk: Path, made: list[Path]) -> Path:
    """Create an overlay of a disk; first add it to `made`."""
    overlay = free_overlay(disk, directory.path)
    made.append(overlay)
    try:
        chains.make_overlay(disk, overlay)
    except DiskError as error:
        raise Failure(error.plain) from error
    return overlay


def _configuration(directory: VmDirectory, snapshot: Snapshot) -> Vmx:
    """Return the configuration in a snapshot.

    VMware stores it in a format of its own: for a snapshot that VMware took, the present one is returned.

    Raises:
        Failure: A disk is missing, or the memory cannot be read.
    """
    missing = [file for _, file in snapshot.disks if not directory.resolve(file).is_file()]
    if missing:
        raise Failure(f"{SNAPSHOT_INCONSISTENT}: {', '.join(missing)}")
    try:
        return vmss.read(directory.resolve(snapshot.file)).configuration()
    except StateError as error:
        if snapshot.memory:
            raise Failure(f"{SNAPSHOT_INCONSISTENT}: {error}") from error
        return directory.vmx.copy()


def _delete_suspended_memory(directory: VmDirectory, name: str) -> None:
    """Delete the memory of a suspended VM; keep that of a snapshot."""
    if name.lower().endswith(".vmss"):
        directory.resolve(name).unlink(missing_ok=True)


def _keep_suspended_memory(directory: VmDirectory, gone: list[Snapshot]) -> None:
    """Copy a suspended VM's memory out of snapshots to be deleted."""
    name = directory.vmx.get("checkpoint.vmState") or ""
    if name and name in [item.file for item in gone]:
        kept = vmss.state_file_of(directory.vmx_path)
        shutil.copyfile(directory.resolve(name), kept)
        directory.vmx.set("checkpoint.vmState", kept.name)
        directory.vmx.write(directory.vmx_path)
