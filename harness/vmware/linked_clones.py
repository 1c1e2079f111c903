"""Linked clones and other VMs that use the disks of a VM.

They break when these disks are deleted. What cannot be read is an error: a VM whose disks are not known may use them.

VMware records linked clones in the `.vmsd` beside the VMX of the parent, in the syntax of a VMX:
`snapshot0.displayName = "base"`, `snapshot0.clone0 = "/…/clone.vmx"`. The entry of a deleted clone can remain.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import HostError
from harness.core.files import retry_on_sharing_violation
from harness.vmware import vmdk_descriptor
from harness.vmware.vmdk_descriptor import VmdkError
from harness.vmware.vmx import Vmx, VmxError

# A key whose value is the VMX of a linked clone; the group is the prefix of the snapshot's keys.
_CLONE = re.compile(r"(?:(.*)\.)?clone\d+", re.IGNORECASE)
_DISK = re.compile(r"((?:scsi|sata|ide|nvme)\d+:\d+\.)filename", re.IGNORECASE)
# Directories of file systems that only an administrator lists, and no VM is in.
_SYSTEM_DIRECTORIES = ("lost+found", "system volume information", "$recycle.bin")


@dataclass(frozen=True)
class Clone:
    """An existing linked clone and the snapshot whose disks it uses."""

    snapshot: str
    vmx: Path


def clones_of(vmx: Path) -> tuple[Clone, ...]:
    """Return the existing linked clones of a VM; none without a `.vmsd`.

    Raises:
        HostError: The `.vmsd` cannot be read, or whether a clone exists is not known.
    """
    vmsd = vmx.with_suffix(".vmsd")
    settings = _read_vmsd(vmsd)
    found = []
    for key, value in settings.items():
        match = _CLONE.fullmatch(key)
        path = vmx.parent / value
        if match and _is_file(path, vmsd):
            found.append(Clone(settings.get(f"{match[1]}.displayName") or "", path))
    return tuple(found)


def vms_using_disks_in(directory: Path, others: Iterable[Path]) -> tuple[Path, ...]:
    """Return the other VMs that use a disk in the directory.

    These are the linked clones of the VM in the directory, and each other VM with a disk whose backing chain enters it.

    Args:
        directory: The directory of the VM that is about to be deleted.
        others: VMX files that may use its disks; those in the directory and missing ones are skipped.

    Raises:
        HostError: A `.vmsd` in the directory, another VMX or one of its disks cannot be read: whether it uses the
            disks is not known.
    """
    home = _real(directory)
    clones = {clone.vmx for vmsd in directory.glob("*.vmsd") for clone in clones_of(vmsd.with_suffix(".vmx"))}
    found = {path for path in clones if not _inside(_real(path), home)}
    elsewhere = {path for path in others if not _inside(_real(path), home)}
    found.update(vmx for vmx in elsewhere if any(_inside(_real(disk), home) for disk in _chain(vmx)))
    return tuple(sorted(found))


def vms_using_files(files: Iterable[Path], others: Iterable[Path]) -> tuple[Path, ...]:
    """Return the VMs that have one of the files in a backing chain.

    Raises:
        HostError: A VMX or one of its disks cannot be read.
    """
    wanted = {_real(file) for file in files}
    return tuple(sorted(vmx for vmx in others if any(_real(file) in wanted for file in _chain(vmx))))


def sibling_vmx_files(directory: Path) -> tuple[Path, ...]:
    """Return the VMX files beside the directory, in it, and in its sibling directories.

    Raises:
        HostError: A directory cannot be listed.
    """
    found = []
    for name in _names(directory.parent):
        path = directory.parent / name
        names = _names(path) if path.is_dir() else ()
        found += [item for item in (path, *(path / inner for inner in names)) if item.suffix.lower() == ".vmx"]
    return tuple(sorted(found))


def _names(directory: Path) -> list[str]:
    """Return the names in a directory; none if it is gone."""
    try:
        return os.listdir(directory)  # noqa: PTH208  (names alone)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        if directory.name.lower() in _SYSTEM_DIRECTORIES:
            return []
        raise _not_known(directory, error.strerror or str(error), directory) from error


def _is_file(path: Path, vmsd: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise _not_known(vmsd, f"the linked clone {path}: {getattr(error, 'strerror', None) or error}", vmsd) from error
    return True


def _read_vmsd(file: Path) -> Vmx:
    """Return the settings of a `.vmsd`; none without the file.

    Raises:
        HostError: It cannot be read.
    """
    try:
        return retry_on_sharing_violation(lambda: Vmx.read(file))
    except FileNotFoundError:
        return Vmx.parse("")
    except (VmxError, OSError) as error:
        raise HostError(
            f"cannot read which linked clones use the disks of this machine: {error}",
            where=str(file),
            remedy="make the file readable; delete it if you know that the machine has no clones",
        ) from error


def _chain(vmx: Path) -> Iterator[Path]:
    """Yield every file of the disks of a VM with their backing chains.

    Raises:
        HostError: The VMX or a disk cannot be read.
    """
    seen: set[Path] = set()
    left = _disks(vmx)
    while left:
        disk = left.pop()
        if disk in seen:
            continue
        seen.add(disk)
        if disk.suffix.lower() == ".vmdk":
            yield disk
        descriptor = _descriptor(vmx, disk)
        if descriptor is None:
            continue
        yield disk
        pieces = [] if descriptor.is_embedded else [piece.name for piece in descriptor.extents if piece.name]
        hint = descriptor.get("parentFileNameHint")
        if any("\0" in name for name in (*pieces, hint)):
            raise _not_known(vmx, f"its disk {disk}: a name in its descriptor has a NUL", disk)
        try:
            yield from (Path(_real(disk.parent / piece)) for piece in pieces)
            if hint:
                left.append(Path(_real(disk.parent / hint)))
        except (OSError, ValueError) as error:
            raise _not_known(vmx, f"its disk {disk}: {error}", disk) from error


def _disks(vmx: Path) -> list[Path]:
    """Return the disks that a VMX names; none if it is gone."""
    try:
        settings = retry_on_sharing_violation(lambda: Vmx.read(vmx))
    except FileNotFoundError:
        return []
    except (VmxError, OSError) as error:
        reason = str(error) if isinstance(error, VmxError) else error.strerror or str(error)
        raise _not_known(vmx, reason, vmx) from error
    found = []
    for key, value in settings.items():
        match = _DISK.fullmatch(key)
        if match and value and "cdrom" not in (settings.get(f"{match[1]}deviceType") or "").lower():
            found.append(vmx.parent / value)
    if not settings.items():
        raise _not_known(vmx, "it has no settings", vmx)
    encrypted = any(key.lower().startswith("encryption.") for key, _ in settings.items())
    if encrypted and not any(disk.suffix.lower() == ".vmdk" for disk in found):
        raise _not_known(vmx, "it is encrypted", vmx)
    return found


def _descriptor(vmx: Path, disk: Path) -> vmdk_descriptor.Descriptor | None:
    """Return the descriptor of a disk.

    None if it is gone, or neither called a VMDK nor one.
    """
    try:
        return retry_on_sharing_violation(lambda: vmdk_descriptor.read(disk))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, VmdkError) else getattr(error, "strerror", None) or str(error)
        if isinstance(error, VmdkError) and disk.suffix.lower() != ".vmdk":
            return None
        raise _not_known(vmx, f"its disk {disk}: {reason}", disk) from error


def _not_known(where: Path, reason: str, file: Path) -> HostError:
    return HostError(
        f"whether another machine uses the disks of this one is not known: {reason}",
        where=str(where),
        remedy=f"make {file} readable, or move that machine to another directory (stop it first), then run again",
    )


def _real(path: Path) -> str:
    return os.path.normcase(os.path.realpath(path))


def _inside(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory + os.sep)
