"""Consolidation: merge disks that no snapshot needs, without loss at any moment.

A disk is *needed* when the VM or a snapshot uses it. A disk that is not needed and that

* has no overlay, is deleted if it is an overlay itself;
* has one overlay, takes the changes and the place of that overlay;
* has several overlays, stays: its content is part of all of them.

A disk below a linked clone's snapshot stays as it is: the clone may be running on it at this moment.

While changes are written into a disk, its overlay keeps them: the content of both together never changes. Only the
content id in the overlay is wrong then. `needConsolidate` in the `.vmsd` marks this state, and `finish_interrupted`
corrects the id and finishes the work after a crash.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.vmrun_qemu.base.messages import SNAPSHOT_INCONSISTENT, Failure
from harness.vmrun_qemu.disks import chains, images
from harness.vmrun_qemu.disks.qemu_img import DiskError
from harness.vmrun_qemu.disks.vm_directory import VmDirectory
from harness.vmware import vmdk_descriptor


def consolidate(directory: VmDirectory, candidates: list[Path]) -> None:
    """Merge or delete the candidates, and all parents, that are not needed.

    The `.vmsd` marks the consolidation until it is done.

    Raises:
        Failure: The disk is full, or broken. The VM can be used, and the next command tries again.
    """
    directory.save_tree(replace(directory.tree, needs_consolidation=True))
    try:
        _remove_unneeded(directory, [*directory.parents(candidates).values(), *candidates])
    except DiskError as error:
        _relink_parents(directory)
        raise Failure(error.plain) from error
    except (vmdk_descriptor.VmdkError, OSError) as error:
        raise Failure(f"{SNAPSHOT_INCONSISTENT}: {error}") from error
    directory.save_tree(replace(directory.tree, needs_consolidation=False))


def finish_interrupted(directory: VmDirectory) -> None:
    """Finish an interrupted consolidation, if there is one.

    Raises:
        Failure: See `consolidate`.
    """
    if directory.tree.needs_consolidation:
        _relink_parents(directory)
        consolidate(directory, [])


def _remove_unneeded(directory: VmDirectory, candidates: list[Path]) -> None:
    while candidates:
        disk = candidates.pop()
        if disk.parent != directory.path or not disk.is_file():
            continue
        parents = directory.parents([disk, *candidates])
        users = [child for child, parent in parents.items() if parent == disk]
        if _is_needed(directory, disk) or disk in _disks_below_clones(directory, parents):
            continue
        if not users and disk in parents:
            images.remove(disk)
            candidates.append(parents[disk])
        elif len(users) == 1 and users[0].parent == directory.path:
            _merge(directory, disk, users[0], [child for child, parent in parents.items() if parent == users[0]])
            candidates.append(disk)


def _is_needed(directory: VmDirectory, disk: Path) -> bool:
    return disk in directory.disks().values() or disk in directory.snapshot_disks()


def _disks_below_clones(directory: VmDirectory, parents: dict[Path, Path]) -> set[Path]:
    """Return the disks that linked clones use."""
    left = [
        directory.resolve(file) for s in directory.tree.snapshots if directory.existing_clones(s) for _, file in s.disks
    ]
    found: set[Path] = set()
    while left:
        disk = left.pop()
        found.add(disk)
        if disk in parents:
            left.append(parents[disk])
    return found


def _merge(directory: VmDirectory, lower: Path, upper: Path, on_top: list[Path]) -> None:
    """Write the changes of `upper` into `lower` and replace `upper` by it."""
    chains.commit(upper)
    vmdk_descriptor.copy_content_id(upper, lower)
    for disk in on_top:
        vmdk_descriptor.set_parent(disk, lower)
    directory.replace_disk(upper, lower)
    images.remove(upper)


def _relink_parents(directory: VmDirectory) -> None:
    """Write the present parent into each overlay in the VM directory.

    Raises:
        Failure: One cannot be read or written.
    """
    try:
        for disk, parent in directory.parents([]).items():
            if disk.parent == directory.path:
                vmdk_descriptor.set_parent(disk, parent)
    except (vmdk_descriptor.VmdkError, OSError) as error:
        raise Failure(f"{SNAPSHOT_INCONSISTENT}: {error}") from error
