"""Files that belong to a VM: `deleteVM` removes these and no others."""

from __future__ import annotations

import ntpath
import re
from pathlib import Path

from harness.vmrun_qemu.base.messages import PowerOnFailure, cannot_open, unreadable
from harness.vmrun_qemu.vmfiles import devices, vmsd
from harness.vmware import vmdk_descriptor
from harness.vmware.file_names import SHARED_NAMES, memory_pattern, named_pattern
from harness.vmware.lock_directory import holds_only_locks
from harness.vmware.vmx import Vmx, VmxError

_OVERLAY = re.compile(r"-\d{6}$")


def files_of(vmx: Path) -> list[Path]:
    """Return the existing files of a VM.

    They are the VMX and its companions, states, logs, disks with extents, serial files and locks. A disk or serial file
    outside of the VM's directory, and every CD image, do not belong to it.

    Raises:
        Failure: The VMX cannot be read.
    """
    try:
        settings = Vmx.read(vmx)
    except (VmxError, OSError) as error:
        raise unreadable(str(vmx)) from error
    folder = vmx.parent
    own = [vmx, *_named_files(vmx, settings.get("uuid.bios") or "")]
    disks = [*_disks(settings, folder), *_snapshot_disks(vmx)]
    disks += [file for disk in disks for file in _overlays(disk)]
    own += [file for disk in disks for file in [*(file for file in extents(disk) if _is_piece(file, disk)), disk]]
    own += [port.path for port in devices.serials(settings, folder) if port.path]
    own += [file.with_name(file.name + ".lck") for file in own]
    return [file for file in dict.fromkeys(own) if _is_own(file, folder)]


def _is_own(file: Path, folder: Path) -> bool:
    """Return whether it is a file or lock in the VM's directory."""
    kind = file.is_file() or (file.is_dir() and file.suffix.lower() == ".lck" and holds_only_locks(file))
    return kind and file.resolve().parent == folder.resolve()


def _named_files(vmx: Path, uuid: str) -> list[Path]:
    """Return the files with the VM's name or UUID.

    Disks and VMX files are left out.

    Those with a name that every VM uses may belong to another VM in the directory.
    """
    patterns = [named_pattern(vmx.stem)]
    digits = re.sub(r"[ -]", "", uuid)
    if not other_vmx_files(vmx):
        patterns += [SHARED_NAMES.pattern, *([memory_pattern(digits)] if len(digits) == 32 else [])]
    ours = re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.ASCII)
    return [file for file in vmx.parent.iterdir() if ours.fullmatch(file.name) and file.suffix not in (".vmdk", ".vmx")]


def _is_piece(extent: Path, disk: Path) -> bool:
    """Return whether an extent has the name of a piece of disk."""
    return extent.suffix.lower() == ".vmdk" and extent.name.startswith((f"{disk.stem}-", disk.name))


def other_vmx_files(vmx: Path) -> list[Path]:
    """Return the VMX files of other VMs in the same directory."""
    return [other for other in vmx.parent.iterdir() if other.suffix.lower() == ".vmx" and other != vmx]


def _disks(settings: Vmx, folder: Path) -> list[Path]:
    """Return the disks of a VMX; none if a device is unsupported."""
    try:
        return [drive.path for drive in devices.drives(settings, folder) if drive.path and not drive.cdrom]
    except PowerOnFailure:
        return []


def _snapshot_disks(vmx: Path) -> list[Path]:
    try:
        tree = vmsd.tree_of(Vmx.read(vmx.with_suffix(".vmsd")))
    except (VmxError, OSError):
        return []
    return [devices.resolve(vmx.parent, file) for snapshot in tree.snapshots for _, file in snapshot.disks if file]


def _overlays(disk: Path) -> list[Path]:
    """Return the other disks of a backing chain, by name and parent.

    They are its parents and all overlays of these, also unused ones. A disk that only has such a name is not included.
    """
    pattern = re.compile(re.escape(_OVERLAY.sub("", disk.stem)) + r"(-\d{6})?" + re.escape(disk.suffix), re.IGNORECASE)
    named = [file for file in disk.parent.glob(f"*{disk.suffix}") if pattern.fullmatch(file.name)]
    parents = {file: _parent(file) for file in named}
    chain, size = {disk}, 0
    while len(chain) != size:
        size = len(chain)
        chain.update(file for file in named if parents[file] in chain)
        chain.update(file for file in named if file in [parents.get(member) for member in chain])
    return sorted(chain - {disk})


def _parent(disk: Path) -> Path | None:
    """Return the parent of a disk, or None: an unknown one is left alone."""
    try:
        return vmdk_descriptor.parent_of(disk)
    except (vmdk_descriptor.VmdkError, OSError):
        return None


def used_by_others(vmx: Path) -> set[Path]:
    """Return the disks of other VMX files in the same directory.

    Their extents and parents are included.

    Raises:
        Failure: One of them, or of their disks, cannot be read: which files it uses is not known.
    """
    left = [disk for other in other_vmx_files(vmx) for disk in _disks_of(other)]
    found: set[Path] = set()
    while left:
        disk = left.pop()
        try:
            parent = vmdk_descriptor.parent_of(disk)
        except (vmdk_descriptor.VmdkError, OSError) as error:
            raise cannot_open(str(disk), "Cannot read the virtual disk") from error
        found.update([disk, *extents(disk)])
        if parent is not None and parent not in found:
            left.append(parent)
    return found


def _disks_of(vmx: Path) -> list[Path]:
    try:
        return _disks(Vmx.read(vmx), vmx.parent)
    except FileNotFoundError:
        return []
    except (VmxError, OSError) as error:
        raise unreadable(str(vmx)) from error


def free_overlay(disk: Path, folder: Path) -> Path:
    """Return the first free name of an overlay, such as `<disk>-000001.vmdk`."""
    stem = _OVERLAY.sub("", disk.stem)
    names = (folder / f"{stem}-{number:06}{disk.suffix}" for number in range(1, 1_000_000))
    return next(name for name in names if not name.exists())


def extents(disk: Path) -> list[Path]:
    """Return a disk's extent files; none for a single-file disk.

    An extent in another directory, or a device of the host, must not be removed or renamed with the disk.
    """
    try:
        descriptor = vmdk_descriptor.read(disk)
    except (vmdk_descriptor.VmdkError, OSError):
        return []
    names = [] if descriptor.is_embedded else [extent.name for extent in descriptor.extents if extent.name]
    return [disk.parent / name for name in names if ntpath.basename(name) == name and name not in (".", "..")]
