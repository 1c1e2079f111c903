"""Which files belong to a machine: what `deleteVM` removes, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from harness.vmrun_qemu import devices
from harness.vmrun_qemu.texts import PowerOnFailure, unreadable
from harness.vmx import Vmx, VmxError

_LOGS = re.compile(r"^vmware(-\d+)?\.log$")
# Beside x.vmx: the files that carry its name.
_ENDINGS = (".vmx", ".vmxf", ".nvram", ".vmsd", ".vmss", ".vmem")
# And its saved states, `x-0123abcd.vmss` and `x-Snapshot1.vmsn`, each with VMware's `.vmem` where VMware made it.
_STATE = r"-([0-9a-f]{8}|Snapshot\d+)\.(vmss|vmsn|vmem)"
_EXTENT = re.compile(r'^(?:RW|RDONLY|NOACCESS)\s+\d+\s+\S+\s+"([^"]+)"', re.MULTILINE)
_DESCRIPTOR_LIMIT = 64 * 1024


def files_of(vmx: Path) -> list[Path]:
    """Return the machine's files that exist: VMX and its kin, states, logs, disks and extents, serial files, locks.

    A disk or serial file outside of the machine's directory, and every CD image, belong to somebody else.

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
    own += [file for file in folder.iterdir() if _LOGS.match(file.name) or states.fullmatch(file.name)]
    try:
        disks = [drive.path for drive in devices.drives(settings, folder) if drive.path and not drive.cdrom]
    except PowerOnFailure:
        disks = []
    own += [file for disk in disks for file in [*extents(disk), disk]]
    own += [port.path for port in devices.serials(settings, folder) if port.path]
    own += [file.with_name(file.name + ".lck") for file in own]
    return [file for file in dict.fromkeys(own) if file.exists() and file.resolve().parent == folder.resolve()]


def extents(disk: Path) -> list[Path]:
    """Return the extent files that a VMDK descriptor names; a disk that is one file has none."""
    try:
        with disk.open("rb") as stream:
            head = stream.read(_DESCRIPTOR_LIMIT)
    except OSError:
        return []
    if not head.lstrip().startswith(b"# Disk DescriptorFile"):
        return []
    return [disk.parent / name for name in _EXTENT.findall(head.decode("utf-8", "replace"))]
