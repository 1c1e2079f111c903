"""Linked clones and other VMs that use the disks of a VM.

They break when these disks are deleted. VMware records linked clones in the `.vmsd` beside the VMX of the parent, in
the syntax of a VMX: `snapshot0.displayName = "base"`, `snapshot0.clone0 = "/…/clone.vmx"`. The entry of a deleted clone
can remain.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import HostError
from harness.vmware.vmdk_descriptor import parent_of
from harness.vmware.vmx import Vmx, VmxError

# A key whose value is the VMX of a linked clone; the group is the prefix of the snapshot's keys.
_CLONE = re.compile(r"(?:(.*)\.)?clone\d+", re.IGNORECASE)
_DISK = re.compile(r"^(scsi|sata|ide|nvme)\d+:\d+\.filename$", re.IGNORECASE)
_DEEPEST = 32  # snapshots of a disk, one on the other; VMware itself takes 31


@dataclass(frozen=True)
class Clone:
    """An existing linked clone and the snapshot whose disks it uses."""

    snapshot: str
    vmx: Path


def clones_of(vmx: Path) -> tuple[Clone, ...]:
    """Return the existing linked clones of a VM; none without a `.vmsd`.

    Raises:
        HostError: The `.vmsd` cannot be read.
    """
    settings = _read_vmsd(vmx.with_suffix(".vmsd"))
    found = []
    for key, value in settings.items():
        match = _CLONE.fullmatch(key)
        path = vmx.parent / value
        if match and path.is_file():
            found.append(Clone(settings.get(f"{match[1]}.displayName") or "", path))
    return tuple(found)


def vms_using_disks_in(directory: Path, others: Iterable[Path]) -> tuple[Path, ...]:
    """Return the VMs elsewhere that use a disk in the directory.

    These are the linked clones of the VM in the directory, and each other VM with a disk whose backing chain enters it.

    Args:
        directory: The directory of the VM that is about to be deleted.
        others: VMX files that may use its disks; an unreadable one is skipped.

    Raises:
        HostError: A `.vmsd` in the directory cannot be read.
    """
    home = _real(directory)
    found = {clone.vmx for vmsd in directory.glob("*.vmsd") for clone in clones_of(vmsd.with_suffix(".vmx"))}
    for vmx in others:
        if not _inside(_real(vmx), home) and any(_inside(_real(disk), home) for disk in _chain(vmx)):
            found.add(vmx)
    return tuple(sorted(path for path in found if not _inside(_real(path), home)))


def _read_vmsd(file: Path) -> Vmx:
    """Return the settings of a `.vmsd`; none without the file.

    Raises:
        HostError: It cannot be read.
    """
    try:
        return Vmx.read(file)
    except FileNotFoundError:
        return Vmx.parse("")
    except (VmxError, OSError) as error:
        raise HostError(
            f"cannot read which linked clones use the disks of this machine: {error}",
            where=str(file),
            remedy="make the file readable; delete it if you know that the machine has no clones",
        ) from error


def sibling_vmx_files(directory: Path) -> tuple[Path, ...]:
    """Return the VMX files in the directory and its sibling directories."""
    return tuple(sorted(directory.parent.glob("*/*.vmx")))


def _chain(vmx: Path) -> Iterator[Path]:
    """Yield every disk of a VM with its backing chain."""
    for key, value in _settings(vmx):
        disk = vmx.parent / value
        for _ in range(_DEEPEST if _DISK.match(key) and value.lower().endswith(".vmdk") else 0):
            yield disk
            parent = parent_of(disk)
            if parent is None:
                break
            disk = parent


def _settings(file: Path) -> list[tuple[str, str]]:
    try:
        return Vmx.read(file).items()
    except (VmxError, OSError):
        return []


def _real(path: Path) -> str:
    return os.path.normcase(os.path.realpath(path))


def _inside(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory + os.sep)
