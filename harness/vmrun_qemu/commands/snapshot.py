"""snapshot, listSnapshots, revertToSnapshot, deleteSnapshot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import INVALID_PARAMETER, Failure, Flags, paused, print_line
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.client import supervisor
from harness.vmrun_qemu.disks import snapshots
from harness.vmrun_qemu.disks.vm_directory import VmDirectory, open_powered_off, read_vmx
from harness.vmrun_qemu.state.power import settled
from harness.vmrun_qemu.state.power_off import stop_hard

# VMware takes more than five minutes for 8 GB of memory; disks are merged at the speed of the host's disk.
_LONG_S = 3600.0


def snapshot(parameters: Sequence[str], _flags: Flags) -> int:
    """Take a snapshot; that of a running VM includes its memory.

    Raises:
        Failure: The name is taken, the VM is paused, or there is no space.
    """
    vmx, name = parameters
    record = _on(vmx)
    if record is not None:
        supervisor.request(record, "snapshot", _LONG_S, name=name)
        return 0
    with open_powered_off(vmx) as directory:
        snapshots.take(directory, name)
    return 0


def list_snapshots(parameters: Sequence[str], _flags: Flags) -> int:
    """Print the number of snapshots, and their names.

    `showTree` indents children by tabs.
    """
    if len(parameters) > 1 and parameters[1].lower() != "showtree":
        raise Failure(f"{INVALID_PARAMETER}: {parameters[1]}")
    path = Path(home.canonical(parameters[0]))
    outline = VmDirectory(path, read_vmx(path, parameters[0])).tree.outline()
    print_line(f"Total snapshots: {len(outline)}")
    for depth, name in outline:
        print_line("\t" * (depth if len(parameters) > 1 else 0) + name)
    return 0


def revert(parameters: Sequence[str], _flags: Flags) -> int:
    """Restore a VM to a snapshot; it is not on afterwards.

    Raises:
        Failure: There is no such snapshot.
    """
    vmx, name = parameters
    record = settled(home.canonical(vmx))
    if record is not None:
        path = Path(record["vmx"])
        VmDirectory(path, read_vmx(path, vmx)).tree.named(name)
        stop_hard(record)
    with open_powered_off(vmx) as directory:
        snapshots.revert(directory, name)
    return 0


def delete(parameters: Sequence[str], _flags: Flags) -> int:
    """Delete a snapshot, with `andDeleteChildren` its descendants too; the VM's state stays.

    Raises:
        Failure: There is no such snapshot, a linked clone uses it, or the VM is paused.
    """
    vmx, name = parameters[:2]
    if len(parameters) > 2 and parameters[2].lower() != "anddeletechildren":
        raise Failure(f"{INVALID_PARAMETER}: {parameters[2]}")
    children = len(parameters) > 2
    record = _on(vmx)
    if record is not None:
        supervisor.request(record, "delete-snapshot", _LONG_S, name=name, children=children)
        return 0
    with open_powered_off(vmx) as directory:
        snapshots.delete(directory, name, children=children)
    return 0


def _on(vmx: str) -> Record | None:
    """Return the record of a running VM, else None.

    Raises:
        Failure: It is paused.
    """
    record = settled(home.canonical(vmx))
    if record is not None and record["phase"] == "paused":
        raise paused(vmx)
    return record
