"""Who uses the disks in a machine's directory, besides that machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.core.errors import HostError
from harness.core.text import decode
from harness.vmware.vmx import Vmx, VmxError

# The parent machine's snapshot file names its linked clones: `snapshot0.clone0 = "/…/clone.vmx"`.
_CLONE = re.compile(r"(^|\.)clone\d+$", re.IGNORECASE)
_DISK = re.compile(r"^(scsi|sata|ide|nvme)\d+:\d+\.filename$", re.IGNORECASE)
# VMware Virtual Disk Format 5.0, "The Disk Descriptor File"; a descriptor may stand inside a disk, after its header.
_PARENT = re.compile(r'^parentFileNameHint\s*=\s*"([^"]+)"', re.IGNORECASE | re.MULTILINE)
_DESCRIPTOR_BYTES = 64 * 1024
_DEEPEST = 32  # snapshots of a disk, one on the other; VMware itself takes 31


def vms_using_disks_in(directory: Path, others: Iterable[Path]) -> tuple[Path, ...]:
    """Return the machines outside of the directory that use a disk in it: its clones, and who names one of its disks.

    Args:
        directory: Of the machine that is about to be deleted.
        others: VMX files that may use its disks; one that cannot be read is passed over.

    Raises:
        HostError: What its own snapshot file says of its clones cannot be read.
    """
    home = _real(directory)
    found = {clone for clone in _clones(directory) if clone.is_file()}
    for vmx in others:
        if not _inside(_real(vmx), home) and any(_inside(_real(disk), home) for disk in _chain(vmx)):
            found.add(vmx)
    return tuple(sorted(path for path in found if not _inside(_real(path), home)))


def snapshot_notes(file: Path) -> Vmx:
    """Return what a `.vmsd` says, in the syntax of a VMX; nothing where there is none.

    Raises:
        HostError: It cannot be read.
    """
    try:
        return Vmx.read(file)
    except FileNotFoundError:
        return Vmx.parse("")
    except (VmxError, OSError) as error:
        raise HostError(
            f"whether a linked clone uses its disks is not known: {error}",
            where=str(file),
            remedy="make the file readable; delete it where you know that the machine has no clones",
        ) from error


def sibling_vmx_files(directory: Path) -> tuple[Path, ...]:
    """Return the VMX files in the directories beside that one."""
    return tuple(sorted(directory.parent.glob("*/*.vmx")))


def _clones(directory: Path) -> Iterator[Path]:
    for file in directory.glob("*.vmsd"):
        yield from (directory / value for key, value in snapshot_notes(file).items() if _CLONE.search(key))


def _chain(vmx: Path) -> Iterator[Path]:
    """Yield every disk of a machine, with what each one is based on."""
    for key, value in _settings(vmx):
        disk = vmx.parent / value
        for _ in range(_DEEPEST if _DISK.match(key) and value.lower().endswith(".vmdk") else 0):
            yield disk
            parent = _parent(disk)
            if parent is None:
                break
            disk = disk.parent / parent


def _parent(disk: Path) -> str | None:
    try:
        with disk.open("rb") as stream:
            found = _PARENT.search(decode(stream.read(_DESCRIPTOR_BYTES)))
    except OSError:
        return None
    return found[1] if found else None


def _settings(file: Path) -> list[tuple[str, str]]:
    try:
        return Vmx.read(file).items()
    except (VmxError, OSError):
        return []


def _real(path: Path) -> str:
    return os.path.normcase(os.path.realpath(path))


def _inside(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory + os.sep)
