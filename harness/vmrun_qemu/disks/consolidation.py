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
from harness.vmrun_qemu.disks.vm_directory import Site
from harness.vmrun_qemu.vmfiles import vmdk


def consolidate(site: Site, candidates: list[Path]) -> None:
    """Have none of `candidates`, nor of the disks below any other, that is not needed; the `.vmsd` says so.

    Raises:
        Failure: The disk is full, or broken. The machine can be used, and the next command tries again.
    """
    site.save_tree(replace(site.tree, needs_consolidation=True))
    try:
        _work_off(site, [*site.parents(candidates).values(), *candidates])
    except DiskError as error:
        _relink(site)
        raise Failure(error.plain) from error
    except (vmdk.VmdkError, OSError) as error:
        raise Failure(f"{SNAPSHOT_INCONSISTENT}: {error}") from error
    site.save_tree(replace(site.tree, needs_consolidation=False))


def mend(site: Site) -> None:
    """Finish what was interrupted; does nothing where nothing was.

    Raises:
        Failure: See `consolidate`.
    """
    if site.tree.needs_consolidation:
        _relink(site)
        consolidate(site, [])


def _work_off(site: Site, candidates: list[Path]) -> None:
    while candidates:
        disk = candidates.pop()
        if disk.parent != site.folder or not disk.is_file():
            continue
        parents = site.parents([disk, *candidates])
        users = [child for child, parent in parents.items() if parent == disk]
        if _is_needed(site, disk) or disk in _below_clones(site, parents):
            continue
        if not users and disk in parents:
            images.remove(disk)
            candidates.append(parents[disk])
        elif len(users) == 1 and users[0].parent == site.folder:
            _merge(site, disk, users[0], [child for child, parent in parents.items() if parent == users[0]])
            candidates.append(disk)


def _is_needed(site: Site, disk: Path) -> bool:
    return disk in site.disks().values() or disk in site.snapshot_disks()


def _below_clones(site: Site, parents: dict[Path, Path]) -> set[Path]:
    """Return the disks that linked clones read."""
    left = [site.file(file) for s in site.tree.snapshots if site.clones_of(s) for _, file in s.disks]
    found: set[Path] = set()
    while left:
        disk = left.pop()
        found.add(disk)
        if disk in parents:
            left.append(parents[disk])
    return found


def _merge(site: Site, lower: Path, upper: Path, on_top: list[Path]) -> None:
    """Have the changes of `upper` in `lower`, and `lower` in the place of `upper`."""
    chains.commit(upper)
    vmdk.take_over(lower, upper)
    for disk in on_top:
        vmdk.link(disk, lower)
    site.replace_disk(upper, lower)
    images.remove(upper)


def _relink(site: Site) -> None:
    """Have every disk in the machine's directory know its parent as that is now.

    Raises:
        Failure: One cannot be read or written.
    """
    try:
        for disk, parent in site.parents([]).items():
            if disk.parent == site.folder:
                vmdk.link(disk, parent)
    except (vmdk.VmdkError, OSError) as error:
        raise Failure(f"{SNAPSHOT_INCONSISTENT}: {error}") from error
