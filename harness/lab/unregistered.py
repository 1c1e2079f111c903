"""What there is of a lab that its ledger does not name.

A ledger or a whole directory that was deleted leaves VMs and processes that run on; an earlier program, or a removal
that kept foreign files, leaves directories.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.core.deadline import Deadline
from harness.core.errors import HarnessError
from harness.core.files import is_mount_point
from harness.core.layout import MARKER, MachineFiles
from harness.lab.selection import Selection
from harness.ownership.lab_processes import LabProcess, find_lab_processes
from harness.ownership.ledger import Content, HomeEntry, MachineEntry, ProcessEntry
from harness.ownership.marker import conflicting_names, is_link, read_marker
from harness.vmrun.discovery import HOME_VARIABLE
from harness.vmrun.driver import Vmrun

_SHOWN = 8


@dataclass(frozen=True)
class UnregisteredDirectory:
    """A directory like one of the lab's that is not in the ledger.

    It has the name of a VM of the lab, or a marker.

    Attributes:
        names: The names in it.
        machine: Whether a VM may be in it; if not, it has foreign files alone.
    """

    path: Path
    names: tuple[str, ...]
    machine: bool

    def __str__(self) -> str:
        shown = ", ".join(self.names[:_SHOWN]) + (f", and {len(self.names) - _SHOWN} more" * (len(self.names) > _SHOWN))
        if not self.machine:
            return f"left in {self.path}, because not this lab's: {shown}"
        return f"{self.path} is not in the ledger, and stays: {shown}"


@dataclass(frozen=True)
class Unregistered:
    """What the ledger of the lab does not name."""

    running: tuple[Path, ...] = ()
    processes: tuple[LabProcess, ...] = ()
    directories: tuple[UnregisteredDirectory, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.running or self.processes or self.directories)

    @property
    def machines(self) -> tuple[str, ...]:
        """The names of the directories in which a VM may be."""
        return tuple(directory.path.name for directory in self.directories if directory.machine)

    def lines(self) -> list[str]:
        """Return a line for each."""
        return [
            *(f"running, and not in the ledger: {vmx}" for vmx in self.running),
            *(f"running, and not in the ledger: {process}" for process in self.processes),
            *(str(directory) for directory in self.directories),
        ]


def find_unregistered(selection: Selection, content: Content, vmrun: Vmrun) -> Unregistered:
    """Find VMs, processes and directories of the lab outside its ledger.

    Raises:
        VmrunError: `vmrun list` fails: what runs is not known.
        HostError: A directory cannot be listed.
    """
    root, home = selection.vm_directory, selection.hypervisor.home
    known = {_identity(Path(machine.directory)) for machine in content.all_of(MachineEntry)}
    # `vmrun list` of the embedded hypervisor would create its home, and without it lists nothing.
    listed = vmrun.list_running() if home is None or home.is_dir() else ()
    running = [vmx for vmx in listed if _is_below(vmx, root) and _identity(vmx.parent) not in known]
    directories = [
        found
        for found in map(look_at, _candidates(selection))
        if found is not None and _identity(found.path) not in known
    ]
    processes = find_lab_processes(root, (HOME_VARIABLE, home) if home is not None else None)
    unknown = [process for process in processes if not _is_known(process, content, known)]
    return Unregistered(tuple(running), tuple(unknown), tuple(directories))


def look_at(directory: Path) -> UnregisteredDirectory | None:
    """Return what is in a directory; None if it is empty or not there."""
    if is_link(directory) and os.path.lexists(directory):
        return UnregisteredDirectory(directory, ("it is a link",), machine=False)
    if not directory.is_dir():
        return None
    names = tuple(sorted(os.listdir(directory)))  # noqa: PTH208  (names alone)
    return UnregisteredDirectory(directory, names, bool(conflicting_names(names, directory.name))) if names else None


def end_unregistered(rest: Unregistered, vmrun: Vmrun, say: Callable[[str], None], power_s: float) -> tuple[str, ...]:
    """Stop the VMs and processes that are provably the lab's.

    Return what runs on.

    No file is deleted. A VM is the lab's if its directory has the marker of this VM, or is gone while the embedded
    hypervisor of the lab still runs the VM.
    """
    remaining = []
    for vmx in rest.running:
        if not _has_marker(vmx.parent):
            if os.path.lexists(vmx.parent) or not any(process.vmx == vmx for process in rest.processes):
                remaining.append(f"{vmx} (not provably this lab's)")
            continue
        try:
            vmrun.stop_and_verify(vmx, Deadline(power_s))
            say(f"stopped, though not in the ledger: {vmx}")
        except HarnessError as error:
            remaining.append(f"{vmx} ({error})")
    return (*remaining, *_end_processes(rest, say))


def _end_processes(rest: Unregistered, say: Callable[[str], None]) -> Iterator[str]:
    for process in sorted(rest.processes, key=lambda process: process.vmx is None):
        if process.vmx is not None and os.path.lexists(process.vmx.parent) and not _has_marker(process.vmx.parent):
            yield f"{process} (not provably this lab's)"
        elif process.end():
            say(f"ended, though not in the ledger: {process}")
        else:
            yield str(process)


def _candidates(selection: Selection) -> list[Path]:
    """Return the directories of the lab's VMs, and those with a marker.

    The latter are beside the former.
    """
    root = selection.vm_directory
    try:
        marked = [item for item in root.iterdir() if os.path.lexists(item / MARKER)]
    except (FileNotFoundError, NotADirectoryError):
        marked = []
    return sorted({*(MachineFiles(root / name, name).directory for name in selection.spec.machines), *marked})


def _has_marker(directory: Path) -> bool:
    if is_link(directory) or is_mount_point(directory):
        return False
    return (read_marker(directory) or "").endswith(f"/{directory.name}")


def _is_known(process: LabProcess, content: Content, known: set[str]) -> bool:
    if process.vmx is not None:
        return _identity(process.vmx.parent) in known
    if any(process.pid == entry.pid or process.argv == entry.argv for entry in content.all_of(ProcessEntry)):
        return True
    return "registry" not in process.what and bool(content.all_of(HomeEntry))


def _identity(path: Path) -> str:
    return os.path.normcase(os.path.realpath(path))


def _is_below(path: Path, directory: Path) -> bool:
    return _identity(path).startswith(_identity(directory) + os.sep)
