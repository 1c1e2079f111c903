"""Files that belong to a VM: `deleteVM` removes these and no others."""

from __future__ import annotations

import ntpath
import re
from pathlib import Path

from harness.vmrun_qemu.base.messages import PowerOnFailure, unreadable
from harness.vmrun_qemu.vmfiles import devices, vmsd
from harness.vmware import vmdk_descriptor
from harness.vmware.vmx import Vmx, VmxError

_LOGS = re.compile(r"^vmware(-\d+)?\.log$")
# Beside x.vmx: the files that carry its name.
_ENDINGS = (".vmx", ".vmxf", ".nvram", ".vmsd", ".vmss", ".vmem")
# And its saved states, `x-0123abcd.vmss` and `x-Snapshot1.vmsn`, each with VMware's `.vmem` where VMware made it.
_STATE = r"-([0-9a-f]{8}|Snapshot\d+)\.(vmss|vmsn|vmem)"
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
    own = [vmx.with_suffix(ending) for ending in _ENDINGS]
    states = re.compile(re.escape(vmx.stem) + _STATE, re.IGNORECASE)
    alone = not any(other != vmx for other in folder.glob("*.vmx"))  # else the logs may belong to the other VM
    own += [file for file in folder.iterdir() if (alone and _LOGS.match(file.name)) or states.fullmatch(file.name)]
    disks = [*_disks(settings, folder), *_snapshot_disks(vmx)]
    disks += [file for disk in disks for file in _overlays(disk)]
    own += [file for disk in disks for file in [*extents(disk), disk]]
    own += [port.path for port in devices.serials(settings, folder) if port.path]
    own += [file.with_name(file.name + ".lck") for file in own]
    return [file for file in dict.fromkeys(own) if _is_own(file, folder)]


def _is_own(file: Path, folder: Path) -> bool:
    """Return whether it is a file or lock in the VM's directory."""
    kind = file.is_file() or (file.is_dir() and file.suffix.lower() == ".lck")
    return kind and file.resolve().parent == folder.resolve()


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
    parents = {file: vmdk_descriptor.parent_of(file) for file in named}
    chain, size = {disk}, 0
    while len(chain) != size:
        size = len(chain)
        chain.update(file for file in named if parents[file] in chain)
        chain.update(file for file in named if file in [parents.get(member) for member in chain])
    return sorted(chain - {disk})


def used_by_others(vmx: Path) -> set[Path]:
    """Return the disks of other VMX files in the same directory.

    Their extents and parents are included.
    """
    left = [disk for other in vmx.parent.glob("*.vmx") if other != vmx for disk in _disks_of(other)]
    found: set[Path] = set()
    while left:
        disk = left.pop()
        parent = vmdk_descriptor.parent_of(disk)
        found.update([disk, *extents(disk)])
        if parent is not None and parent not in found:
            left.append(parent)
    return found


def _disks_of(vmx: Path) -> list[Path]:
    try:
        return _disks(Vmx.read(vmx), vmx.parent)
    except (VmxError, OSError):
        return []


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
