"""`lab adopt`: hand an unregistered VM over to the lab.

The ledger does not name it before; afterwards the lab may delete it.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from harness.cli.options import port, report_errors, say
from harness.cli.selection import selection_options
from harness.core.errors import HostError, UsageError
from harness.core.files import is_mount_point
from harness.core.layout import MachineFiles
from harness.lab.selection import Selection, driver, ledger_of, lock
from harness.machine.machine_directory import foreign_files
from harness.ownership.lab_lock import user_name, utc_now
from harness.ownership.ledger import MachineEntry
from harness.ownership.marker import is_link, read_about, write_marker
from harness.vmrun.driver import Vmrun
from harness.vmrun.lock_files import locks_beside
from harness.vmrun.power import PowerState
from harness.vmware.linked_clones import clones_of
from harness.vmware.vmx import Vmx, VmxError

_ABOUT = "handed over to the lab {lab}; `lab down` removes it, and files without a name of this machine stay"


@click.command()
@report_errors
@selection_options
@click.argument("machines", nargs=-1)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def adopt(selection: Selection, machines: tuple[str, ...], yes: bool) -> None:  # noqa: FBT001  (click)
    """Hand VMs that this lab did not create over to it, for removal.

    For each MACHINE of the lab (default: all that have a directory and are not in the ledger) the files are shown that
    `lab down` and the cleanup may then delete, and those that stay. Nothing is deleted now.
    """
    with lock(selection, say):
        adopt_machines(selection, port(driver)(selection), machines, say, _confirmation(yes=yes))


def _confirmation(*, yes: bool) -> Callable[[str], bool]:
    return lambda question: yes or click.confirm(question, default=False)


@dataclass(frozen=True)
class Candidate:
    """A VM that may be handed over.

    Attributes:
        entry: The ledger entry that it would get.
        own: The files that may be deleted then, with their sizes in bytes.
        foreign: The files that stay, as text.
        state: Whether it runs.
    """

    entry: MachineEntry
    own: tuple[tuple[Path, int], ...]
    foreign: tuple[str, ...]
    state: str

    def lines(self) -> list[str]:
        """Return what is handed over, for a terminal."""
        total = sum(size for _, size in self.own)
        head = f"{self.entry.name}: {self.entry.directory} ({self.state}, {len(self.own)} files, {_size(total)})"
        rows = [f"  would be deleted: {path.name} ({_size(size)})" for path, size in self.own]
        return [head, *rows, *(f"  stays: {text}" for text in self.foreign)]


def adopt_machines(
    selection: Selection,
    vmrun: Vmrun,
    names: tuple[str, ...],
    say: Callable[[str], None],
    confirm: Callable[[str], bool],
) -> None:
    """Show the VMs, ask, and write the ledger entry and marker of each.

    Raises:
        UsageError: A name is not of this lab.
        HostError: One cannot be handed over; none is, then.
    """
    unknown = [name for name in names if name not in selection.spec.machines]
    if unknown:
        known = ", ".join(selection.spec.machines)
        raise UsageError(f"no machine of this lab: {', '.join(unknown)}", remedy=f"give one of {known}")
    ledger = ledger_of(selection)
    registered = {machine.name for machine in ledger.machines()}
    directories = {name: selection.vm_directory / name for name in names or selection.spec.machines}
    wanted = {
        name: path for name, path in directories.items() if name in names or _is_candidate(name, path, registered)
    }
    if not wanted:
        say(f"no machine to hand over in {selection.vm_directory}: each is in the ledger or has no files there")
        return
    candidates = [_candidate(selection, vmrun, name, path, registered) for name, path in wanted.items()]
    for candidate in candidates:
        say("\n".join(candidate.lines()))
    if not confirm(f"Let the lab {selection.spec.name} delete {', '.join(wanted)} from now on?"):
        say("nothing handed over")
        return
    for candidate in candidates:
        ledger.write(candidate.entry)
        write_marker(Path(candidate.entry.directory), candidate.entry.token, _ABOUT.format(lab=selection.spec.name))
        say(f"{candidate.entry.name}: handed over; delete it with `lab down`")


def _is_candidate(name: str, directory: Path, registered: set[str]) -> bool:
    return name not in registered and os.path.lexists(MachineFiles(directory, name).vmx)


def _candidate(selection: Selection, vmrun: Vmrun, name: str, directory: Path, registered: set[str]) -> Candidate:
    """Return the VM in a directory.

    Raises:
        HostError: It cannot be handed over.
    """
    reason = f"{name} is in the ledger already" if name in registered else _obstacle(selection, name, directory)
    if reason:
        remedy = "move it away, or delete it by hand"
        raise HostError(f"not handed over: {reason}", where=str(directory), remedy=remedy)
    vmx = MachineFiles(directory, name).vmx
    clones = clones_of(vmx)
    if clones:
        used = ", ".join(str(clone.vmx) for clone in clones)
        raise HostError(f"not handed over: {used} uses its disks", where=str(directory), remedy="delete these first")
    state = vmrun.power_state(vmx)
    holders = [str(lock) for lock in locks_beside(vmx) if not lock.stale]
    if holders and state is not PowerState.RUNNING:
        remedy = "close the program that has it open, or remove the lab that runs it, then run again"
        what = f"not handed over: another program has it open ({', '.join(holders)})"
        raise HostError(what, where=str(directory), remedy=remedy)
    uuid = re.sub("[ -]", "", Vmx.read(vmx).get("uuid.bios") or "").lower()
    nonce = uuid if re.fullmatch("[0-9a-f]{32}", uuid) else ""
    run_id = f"adopted-{secrets.token_hex(4)}"
    owner = f"{user_name()}@{socket.gethostname()}"
    entry = MachineEntry(name, str(directory), run_id, utc_now(), owner, nonce)
    foreign = foreign_files(entry)
    others = {item.path for item in foreign}
    own = tuple((item, _bytes(item)) for item in sorted(directory.iterdir()) if item not in others)
    return Candidate(entry, own, tuple(str(item) for item in foreign), state.value)


def _obstacle(selection: Selection, name: str, directory: Path) -> str:
    """Return why a directory cannot be handed over, or nothing."""
    vmx = MachineFiles(directory, name).vmx
    if not os.path.lexists(directory):
        return "there is no such directory"
    if is_link(directory) or is_mount_point(directory) or not directory.is_dir():
        return "it is a link, a mount point or no directory"
    if vmx.is_symlink() or not vmx.is_file():
        return f"it is no directory of a virtual machine: {vmx.name} is not in it"
    try:
        Vmx.read(vmx)
    except (VmxError, OSError) as error:
        return f"{vmx.name} cannot be read: {error}"
    about = read_about(directory)
    if about and f"the lab {selection.spec.name};" not in about:
        return f"another lab's marker is in it ({about})"
    return ""


def _bytes(path: Path) -> int:
    found = path.lstat()
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _size(number: int) -> str:
    return f"{number} bytes" if number < 1 << 20 else f"{number / (1 << 20):.0f} MiB"
