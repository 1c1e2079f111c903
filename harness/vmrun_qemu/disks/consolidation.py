"""Merging disks that no snapshot needs any more, so that at no moment, and after no crash, content is lost.

A disk is *needed* when the machine or a snapshot uses it. One that is not needed and that

* no other disk builds on, is removed if it is a change of another disk;
* one other disk builds on, takes that disk's changes in and its place;
* several build on, stays: its content is in all of them.

A disk below a linked clone's snapshot stays as it is: the clone may be running on it at this moment.

While a disk takes changes in, the one on top of it keeps them: the content of both together is the same all the time.
Only the check number by which they know each other is wrong then; `needConsolidate` in the `.vmsd` says so, and `mend`
puts that right and finishes the work.
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
    """Have none of `candidates`, nor of the disks below any other, that is not needed; the `.vmsd` says so.

    Raises:
        Failure: The disk is full, or broken. The machine can be used, and the next command tries again.
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
    """Finish what was interrupted; does nothing where nothing was.

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
        if _is_needed(directory, disk) or disk in _below_clones(directory, parents):
            continue
        if not users and disk in parents:
            images.remove(disk)
            candidates.append(parents[disk])
        elif len(users) == 1 and users[0].parent == directory.path:
            _merge(directory, disk, users[0], [child for child, parent in parents.items() if parent == users[0]])
            candidates.append(disk)


def _is_needed(directory: VmDirectory, disk: Path) -> bool:
    return disk in directory.disks().values() or disk in directory.snapshot_disks()


def _below_clones(directory: VmDirectory, parents: dict[Path, Path]) -> set[Path]:
    """Return the disks that linked clones read."""
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
    """Have the changes of `upper` in `lower`, and `lower` in the place of `upper`."""
    chains.commit(upper)
    vmdk_descriptor.copy_content_id(upper, lower)
    for disk in on_top:
        vmdk_descriptor.set_parent(disk, lower)
    directory.replace_disk(upper, lower)
    images.remove(upper)


def _relink_parents(directory: VmDirectory) -> None:
    """Have every disk in the machine's directory know its parent as that is now.

    Raises:
        Failure: One cannot be read or written.
    """
    try:
        for disk, parent in directory.parents([]).items():
            if disk.parent == directory.path:
                vmdk_descriptor.set_parent(disk, parent)
    except (vmdk_descriptor.VmdkError, OSError) as error:
        raise Failure(f"{SNAPSHOT_INCONSISTENT}: {error}") from error
