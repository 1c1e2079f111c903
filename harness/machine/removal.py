"""Remove what this lab created, by the ledger.

This is the only deletion of VMs in the project. What is gone already is a success. What is not ours is kept and
reported with its reason.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core.deadline import Deadline, Pending, wait_until
from harness.core.errors import HarnessError, HostError
from harness.core.files import host_error_from
from harness.core.layout import MachineFiles
from harness.core.private import make_private_directory
from harness.machine.machine_directory import files_of, foreign_directory, foreign_files, is_own, listing
from harness.ownership.ledger import ForwardingEntry, HomeEntry, Ledger, MachineEntry, ProcessEntry
from harness.ownership.marker import (
    ForeignPath,
    is_marker,
    write_marker,
)
from harness.ownership.processes import remove_process
from harness.vmrun.driver import Vmrun
from harness.vmrun.errors import VmAlreadyRunning, VmBusy, VmNotFound, VmUnreadable
from harness.vmware import vmdk_descriptor
from harness.vmware.linked_clones import sibling_vmx_files, vms_using_disks_in, vms_using_files
from harness.vmware.lock_directory import remove_lock_directory
from harness.vmware.vmx import Vmx, VmxError

_BY_HAND = (
    "if it is this lab's machine, stop it and delete its directory by hand; if it is another one, move it away; "
    "then run `lab down` again"
)


@dataclass(frozen=True)
class Removal:
    """Result of removing one VM.

    Attributes:
        left: Files in its directory that were kept because they are not ours.
        error: Why the VM was not removed.
    """

    machine: str
    left: tuple[ForeignPath, ...] = ()
    error: HarnessError | None = None

    def __str__(self) -> str:
        if self.error is not None:
            return f"{self.machine}: not removed: {self.error}"
        return f"{self.machine}: removed" + "".join(f"\n  left alone: {item}" for item in self.left)


def remove_all(vmrun: Vmrun, ledger: Ledger, names: Iterable[str] | None, power_s: float) -> list[Removal]:
    """Remove the named VMs of the ledger, or all; try each one.

    Raises:
        HostError: The ledger cannot be read.
    """
    wanted = None if names is None else set(names)
    machines = [item for item in ledger.machines() if wanted is None or item.name in wanted]

    def remove(machine: MachineEntry) -> Removal:
        try:
            return remove_machine(vmrun, ledger, machine, Deadline(power_s))
        except HarnessError as error:
            return Removal(machine.name, error=error)
        except (OSError, VmxError) as error:
            return Removal(
                machine.name, error=host_error_from(error) or HostError(str(error), remedy="run `lab down` again")
            )

    with ThreadPoolExecutor(max_workers=max(1, len(machines))) as pool:
        return list(pool.map(remove, machines))


def remove_machine(vmrun: Vmrun, ledger: Ledger, machine: MachineEntry, deadline: Deadline) -> Removal:
    """Power off the VM; delete its own files and its ledger entries.

    Missing files are fine.

    Raises:
        VmrunError: It could not be stopped or deleted.
        HostError: Its directory is not ours (nothing is done then, and its entry stays), a file of ours could not be
            removed, or another machine uses its disk.
        DeadlineExpired: It came back until the deadline was over, or does not go off.
        OSError: A file of ours could not be read or changed.
    """
    foreign = foreign_directory(machine)
    if foreign is not None:
        raise HostError(f"not deleted: {foreign.why}", where=str(foreign.path), remedy=_BY_HAND)
    if not os.path.lexists(machine.directory):
        machine = replace(machine, found=None)  # The files that were there before this lab are gone too.
    wait_until(
        lambda left: _gone(vmrun, ledger, machine, left),
        deadline,
        what="the machine is not gone",
        where=machine.name,
        remedy="close the program that uses it (a Workstation window, another vmrun), then run again",
        interval_s=0.2,
    )
    for forwarding in ledger.read().all_of(ForwardingEntry):
        if forwarding.name == machine.name:
            _stop_forwarding(vmrun, forwarding)
            ledger.delete(forwarding)
    left = foreign_files(machine)
    ledger.delete(machine)
    return Removal(machine.name, left)


def remove_rest(vmrun: Vmrun, ledger: Ledger, remove: Callable[[ProcessEntry], None] = remove_process) -> None:
    """End the lab's processes and delete the hypervisor's home.

    Nothing is done while a VM of the lab is in the ledger.

    Raises:
        HostError: The ledger cannot be read.
        VmrunError: A machine that is not this lab's runs in that home.
    """
    content = ledger.read()
    if content.all_of(MachineEntry):
        return
    for process in content.all_of(ProcessEntry):
        remove(process)
        ledger.delete(process)
    for forwarding in content.all_of(ForwardingEntry):
        ledger.delete(forwarding)
    for home in content.all_of(HomeEntry):
        if Path(home.name).is_dir():
            vmrun.remove_state()
        ledger.delete(home)


def _gone(vmrun: Vmrun, ledger: Ledger, machine: MachineEntry, deadline: Deadline) -> bool | Pending:
    """Stop and delete the VM once.

    It may come back while a `vmrun` of a killed session is still at work.
    """
    files = files_of(machine)
    _require_unused_disks(vmrun, ledger, machine)
    if vmrun.is_running(files.vmx):
        _put_back_vmx(machine)
        # Its disk is deleted next: a clean shutdown would save nothing.
        vmrun.stop_and_verify(files.vmx, deadline, soft_s=0)
    if files.vmx.is_file() and not files.vmx.is_symlink():
        pending = _delete_vm(vmrun, machine)
        if pending is not None:
            return pending
    _remove_own_files(machine)
    if any(is_own(item, machine) for item in listing(files.directory)):
        return Pending("files of it come back")
    _remove_directory(machine)
    if machine.found is None and files.directory.exists() and not foreign_files(machine):
        return Pending("something is written into its directory")
    return True


def _require_unused_disks(vmrun: Vmrun, ledger: Ledger, machine: MachineEntry) -> None:
    """Raise unless other VMs provably do not use these disks.

    The VMs of this lab do not use each other's disks, and one whose VMX a crash damaged is removed all the same.

    Raises:
        HostError: Another VM uses one, or a file that would show it cannot be read.
    """
    directory = files_of(machine).directory
    ours = {files_of(entry).vmx for entry in ledger.machines() if foreign_directory(entry) is None}
    found = [vmx for vmx in (*sibling_vmx_files(directory), *vmrun.list_running()) if vmx not in ours]
    beside = [vmx for vmx in found if vmx.parent == directory and not is_own(vmx, machine)]
    disks = [item for item in listing(directory) if item.suffix.lower() == ".vmdk" and is_own(item, machine)]
    used = (*vms_using_disks_in(directory, found), *vms_using_files(disks, beside))
    if used:
        raise HostError(
            f"its disk is used by {', '.join(str(path) for path in used)}",
            where=machine.name,
            remedy="delete that machine first (`vmrun deleteVM`), then run again",
        )


def _put_back_vmx(machine: MachineEntry) -> None:
    """Write a VMX where that of a running VM was deleted.

    `vmrun stop` needs the file: it identifies a VM by the path of its VMX.
    """
    files = files_of(machine)
    if os.path.lexists(files.vmx):
        return
    make_private_directory(files.directory)
    write_marker(files.directory, machine.token, "put back to stop a machine whose directory was deleted")
    vmx = Vmx.parse("")
    vmx.update([("config.version", "8"), ("virtualHW.version", "8"), ("displayName", machine.name)])
    vmx.set("uuid.bios", machine.nonce)
    vmx.write(files.vmx)


def _delete_vm(vmrun: Vmrun, machine: MachineEntry) -> Pending | None:
    """Delete the VM by vmrun, as far as that deletes nothing foreign.

    `deleteVM` deletes what VMX, disks and snapshots name. A VMX that cannot be read may name anything.
    """
    files = files_of(machine)
    try:
        _detach_foreign(files, machine)
        vmrun.delete_vm(files.vmx)
    except (VmAlreadyRunning, VmBusy) as error:
        return Pending(f"{error.what}: {error.detail}")
    except (VmNotFound, VmUnreadable, VmxError, FileNotFoundError):
        pass  # Another process deleted it just now, or a crash damaged it: its files are deleted one by one.
    return None


def _detach_foreign(files: MachineFiles, machine: MachineEntry) -> None:
    """Remove from the VMX foreign files and snapshot lists that name one.

    A disk is removed too if a piece or a parent of it is foreign: it is deleted with the other files of the VM.

    Raises:
        VmxError: The VMX cannot be read.
        OSError: As before.
    """
    vmx = Vmx.read(files.vmx)
    changed = False
    for key, value in list(vmx.items()):
        is_file = key.lower().endswith(".filename") or os.path.lexists(files.directory / value)
        if value and is_file and _names_foreign(files.directory / value, machine):
            vmx.remove(key)
            changed = True
    if changed:
        vmx.write(files.vmx)
    for vmsd in [item for item in listing(files.directory) if item.suffix.lower() == ".vmsd" and is_own(item, machine)]:
        if any(_names_foreign(files.directory / name, machine) for name in _files_in(vmsd)):
            vmsd.unlink(missing_ok=True)


def _names_foreign(path: Path, machine: MachineEntry) -> bool:
    """Return whether a file is, or as a disk names, a foreign one."""
    directory = files_of(machine).directory
    if path.parent != directory or not is_own(path, machine):
        return True
    if path.suffix.lower() != ".vmdk" or not path.is_file():
        return False
    try:
        disk = vmdk_descriptor.read(path)
    except (OSError, ValueError):
        return True
    names = [disk.get("parentFileNameHint"), *(piece.name for piece in disk.extents if not disk.is_embedded)]
    others = [directory / name for name in names if name and directory / name != path]
    return any(other.parent != directory or not is_own(other, machine) for other in others)


def _files_in(vmsd: Path) -> list[str]:
    """Return the files of a snapshot list; a missing one if it is unreadable."""
    try:
        settings = Vmx.read(vmsd).items()
    except (VmxError, OSError):
        return [f"../{vmsd.name}"]
    return [value for key, value in settings if value and key.lower().endswith("filename")]


def _remove_own_files(machine: MachineEntry) -> None:
    for item in listing(files_of(machine).directory):
        if not is_own(item, machine):
            continue
        try:
            remove_lock_directory(item) if item.is_dir() else item.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise HostError(
                f"cannot remove {item.name}: {error.strerror or error}",
                where=str(item.parent),
                remedy="close the program that holds the file (an editor, the Workstation window), then run again",
            ) from error


def _remove_directory(machine: MachineEntry) -> None:
    """Delete the marker, and an empty directory that this lab created."""
    directory = files_of(machine).directory
    for item in listing(directory):
        if is_marker(item):
            item.unlink(missing_ok=True)
    if machine.found is None:
        with contextlib.suppress(OSError):
            directory.rmdir()


def _stop_forwarding(vmrun: Vmrun, entry: ForwardingEntry) -> None:
    for forwarding in vmrun.networks.list_port_forwardings(entry.network):
        if forwarding.host_port == entry.port:
            vmrun.networks.delete_port_forwarding(entry.network, forwarding)
