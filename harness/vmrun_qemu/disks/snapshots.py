"""What snapshots do to a machine's files: take, revert, delete. The machine is off, or its disks are closed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness.vmrun_qemu.base.messages import DISKS_BUSY, MEMORY_ON_INDEPENDENT, SNAPSHOT_INCONSISTENT, Failure
from harness.vmrun_qemu.disks import chains, images
from harness.vmrun_qemu.disks.consolidation import consolidate, mend
from harness.vmrun_qemu.disks.qemu_img import DiskError
from harness.vmrun_qemu.disks.vm_directory import Site
from harness.vmrun_qemu.vmfiles import vmss
from harness.vmrun_qemu.vmfiles.owned_files import free_overlay
from harness.vmrun_qemu.vmfiles.vmsd import Snapshot
from harness.vmrun_qemu.vmfiles.vmss import State, StateError
from harness.vmware.vmx import Vmx

# Writes a `.vmsn` with the machine's memory.
SaveMemory = Callable[[Path], None]


def take(site: Site, name: str, save_memory: SaveMemory | None = None) -> None:
    """Have a snapshot of the machine as it is: its disks are left as they are, and it goes on with overlays on them.

    A machine that is suspended has its saved memory in the snapshot; for one that is on, `save_memory` writes it.

    Raises:
        Failure: The name is taken, a disk cannot have an overlay or is left out of snapshots while the memory would be
            in them, or there is no room; nothing is changed.
    """
    site.tree.check_new(name)
    if (save_memory or site.vmx.get("checkpoint.vmState")) and site.has_independent_disks():
        raise Failure(MEMORY_ON_INDEPENDENT)
    mend(site)
    uid = site.tree.last_uid + 1
    target = site.path.with_name(f"{site.path.stem}-Snapshot{uid}.vmsn")
    frozen = site.disks()
    made: list[Path] = []
    try:
        suspended = _save_state(site, target, save_memory)
        overlays = {node: _overlay(site, disk, made) for node, disk in frozen.items()}
    except BaseException:
        for file in [target, *made]:
            images.remove(file)
        raise
    disks = tuple((node, site.named(disk)) for node, disk in frozen.items())
    memory = suspended or save_memory is not None
    created_us = time.time_ns() // 1000
    snapshot = Snapshot(uid, site.tree.current, name, target.name, memory, created_us, disks)
    site.use(overlays)
    site.save(site.tree.with_new(snapshot))


def revert(site: Site, name: str) -> None:
    """Have the machine as it was at that snapshot: off, or suspended where the snapshot has its memory.

    Raises:
        Failure: There is no such snapshot, its files are not there, or there is no room; nothing is changed.
    """
    snapshot = site.tree.named(name)
    mend(site)
    old_disks, old_state = list(site.disks().values()), site.vmx.get("checkpoint.vmState") or ""
    vmx = _configuration(site, snapshot)
    made: list[Path] = []
    try:
        overlays = {node: _overlay(site, site.file(file), made) for node, file in snapshot.disks}
    except BaseException:
        for file in made:
            images.remove(file)
        raise
    site.vmx = vmx
    site.vmx.set("checkpoint.vmState", snapshot.file if snapshot.memory else "")
    site.use(overlays)
    site.save(replace(site.tree, current=snapshot.uid))
    _drop_state(site, old_state)
    consolidate(site, old_disks)


def delete(site: Site, name: str, *, children: bool) -> None:
    """Have no such snapshot, and none that goes back to it where `children` is said; the machine's present stays.

    Raises:
        Failure: There is no such snapshot, or a linked clone uses it; nothing is changed.
    """
    snapshot = site.tree.named(name)
    mend(site)
    uids = site.tree.below(snapshot.uid) if children else {snapshot.uid}
    gone = [item for item in site.tree.snapshots if item.uid in uids]
    clones = [clone for item in gone for clone in site.clones_of(item)]
    if clones:
        raise Failure(f"{DISKS_BUSY}: {', '.join(clones)}")
    _keep_state_in_use(site, gone)
    disks = [site.file(file) for item in gone for _, file in item.disks]
    site.save(replace(site.tree.without(uids), needs_consolidation=True))
    for item in gone:
        site.file(item.file).unlink(missing_ok=True)
    consolidate(site, disks)


def _save_state(site: Site, target: Path, save_memory: SaveMemory | None) -> bool:
    """Write the `.vmsn`; return whether it holds the memory of a suspended machine."""
    if save_memory is not None:
        save_memory(target)
        return False
    saved = site.vmx.get("checkpoint.vmState")
    if saved:
        shutil.copyfile(site.file(saved), target)
        return True
    with target.open("wb") as stream:
        vmss.write_head(stream, State.of_off(site.vmx))
    return False


def _overlay(site: Site, disk: Path, made: list[Path]) -> Path:
    """Return a new, empty overlay of a disk; its name is in `made` before it exists."""
    overlay = free_overlay(disk, site.folder)
    made.append(overlay)
    try:
        chains.make_overlay(disk, overlay)
    except DiskError as error:
        raise Failure(error.plain) from error
    return overlay


def _configuration(site: Site, snapshot: Snapshot) -> Vmx:
    """Return the configuration that a snapshot goes back to; one that VMware took has it in a form of its own."""
    missing = [file for _, file in snapshot.disks if not site.file(file).is_file()]
    if missing:
        raise Failure(f"{SNAPSHOT_INCONSISTENT}: {', '.join(missing)}")
    try:
        return vmss.read(site.file(snapshot.file)).configuration()
    except StateError as error:
        if snapshot.memory:
            raise Failure(f"{SNAPSHOT_INCONSISTENT}: {error}") from error
        return site.vmx.copy()


def _drop_state(site: Site, name: str) -> None:
    """Remove the memory of a suspended machine that has become another; that of a snapshot stays."""
    if name.lower().endswith(".vmss"):
        site.file(name).unlink(missing_ok=True)


def _keep_state_in_use(site: Site, gone: list[Snapshot]) -> None:
    """Have a machine that is suspended in a snapshot that goes keep its memory under its own name."""
    name = site.vmx.get("checkpoint.vmState") or ""
    if name and name in [item.file for item in gone]:
        kept = vmss.place(site.path)
        shutil.copyfile(site.file(name), kept)
        site.vmx.set("checkpoint.vmState", kept.name)
        site.vmx.write(site.path)
