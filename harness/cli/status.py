"""`lab status`: the resources of a lab on this host.

Its ledger and vmrun report them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from harness.cli.options import port, report_errors, say
from harness.cli.selection import selection_options
from harness.lab.keep_policy import expired
from harness.lab.selection import Selection, driver, ledger_of
from harness.lab.unregistered import find_unregistered
from harness.machine.machine_directory import files_of, foreign_directory, foreign_files
from harness.ownership.lab_lock import is_held, read_owner
from harness.ownership.ledger import ForwardingEntry, HomeEntry, MachineEntry, ProcessEntry
from harness.system.disk_usage import directory_bytes
from harness.vmrun.driver import Vmrun

_NOT_IN_LEDGER = "stop what runs: lab down    hand a directory over for removal: lab adopt"


@click.command()
@report_errors
@selection_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(selection: Selection, as_json: bool) -> None:  # noqa: FBT001  (click)
    """Show the VMs and other resources of this lab.

    For each VM: power state, disk usage, SSH address, directory, owner, creation time and run; and until when the
    lab is kept. Nothing is changed.
    """
    found = status_of(selection, port(driver)(selection))
    say(json.dumps(to_json(found), indent=2) if as_json else "\n".join(text_lines(found)))


@dataclass(frozen=True)
class MachineStatus:
    """State of one VM.

    Attributes:
        size_bytes: The disk usage of its directory.
        foreign: Files in its directory that the harness did not create, each with the reason.
    """

    name: str
    state: str
    directory: str
    run_id: str
    owner: str
    since: str
    size_bytes: int
    ssh: str
    foreign: tuple[str, ...]


@dataclass(frozen=True)
class LabStatus:
    """State of a lab.

    Attributes:
        session: The session that holds the lab now; empty if none does.
        others: Its resources other than VMs, as text.
        unregistered: What its ledger does not name, as text.
    """

    lab: str
    directory: str
    session: str
    kept_until: str
    expired: bool
    machines: tuple[MachineStatus, ...]
    others: tuple[str, ...]
    unregistered: tuple[str, ...] = ()


def status_of(selection: Selection, vmrun: Vmrun) -> LabStatus:
    """Return the state of the lab.

    Raises:
        HostError: The ledger cannot be read.
        VmrunError: `vmrun list` fails.
    """
    content = ledger_of(selection).read()
    machines, ports = content.all_of(MachineEntry), content.all_of(ForwardingEntry)
    found = []
    for machine in machines:
        state = vmrun.power_state(files_of(machine).vmx).value
        forwarded = next((rule.port for rule in ports if rule.name == machine.name), None)
        address = selection.spec.machines[machine.name].address if machine.name in selection.spec.machines else ""
        ssh = f"127.0.0.1:{forwarded}" if forwarded else str(address)
        found.append(_status(machine, state, ssh))
    owner = read_owner(selection.vm_directory) if is_held(selection.vm_directory) else None
    return LabStatus(
        lab=selection.spec.name,
        directory=str(selection.vm_directory),
        session=str(owner or ""),
        kept_until=content.kept_until,
        expired=expired(content.kept_until),
        machines=tuple(found),
        others=tuple(_other(entry) for entry in content.entries if not isinstance(entry, MachineEntry)),
        unregistered=tuple(find_unregistered(selection, content, vmrun).lines()),
    )


def to_json(status: LabStatus) -> dict[str, Any]:
    """Return the state as JSON values."""
    return asdict(status)


def text_lines(status: LabStatus) -> list[str]:
    """Return lines for a terminal."""
    lines = [f"in use by {status.session}"] if status.session else []
    if not status.machines and not status.others:
        if status.unregistered:
            return [*lines, f"nothing in the ledger of {status.directory}, but:", *status.unregistered, _NOT_IN_LEDGER]
        return [*lines, f"nothing of the lab {status.lab} in {status.directory}"]
    for machine in status.machines:
        size = f"{machine.size_bytes / (1 << 20):.0f} MiB"
        lines.append(f"{machine.name:<16} {machine.state:<9} {size:>8}  ssh {machine.ssh}  {machine.directory}")
        lines.append(f"{'':<16} made by {machine.owner} at {machine.since}, run {machine.run_id}")
        lines += [f"{'':<16} not ours: {item}" for item in machine.foreign]
    lines += [f"also: {other}" for other in status.others]
    lines += status.unregistered
    if status.kept_until:
        over = ", which is over: lab down --expired" if status.expired else ""
        lines.append(f"kept until {status.kept_until}{over}")
    if status.machines:
        lines.append(f"log in: lab ssh {status.machines[0].name}    remove: lab down")
    return lines


def _status(machine: MachineEntry, state: str, ssh: str) -> MachineStatus:
    foreign = foreign_directory(machine)
    left = (foreign,) if foreign is not None else foreign_files(machine)
    return MachineStatus(
        name=machine.name,
        state=state,
        directory=machine.directory,
        run_id=machine.run_id,
        owner=machine.owner,
        since=machine.since,
        size_bytes=_size(Path(machine.directory)),
        ssh=ssh,
        foreign=tuple(str(item) for item in left),
    )


def _other(entry: ForwardingEntry | HomeEntry | ProcessEntry) -> str:
    if isinstance(entry, ForwardingEntry):
        return f"port 127.0.0.1:{entry.port} into {entry.network}, to {entry.name}"
    if isinstance(entry, HomeEntry):
        return f"what the embedded hypervisor remembers, in {entry.name}"
    return f"process {entry.name}" + (f" ({entry.pid})" if entry.pid else "")


def _size(directory: Path) -> int:
    try:
        return directory_bytes(directory)
    except OSError:
        return 0
