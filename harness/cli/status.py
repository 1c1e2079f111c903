"""What a lab has on this host at this moment, by its ledger. Nothing is changed by looking."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.lab.keep_policy import expired
from harness.lab.selection import Selection, driver, ledger_of
from harness.machine.removal import files_of, foreign_directory, foreign_files
from harness.ownership.lab_lock import is_held, read_owner
from harness.ownership.ledger import ForwardingEntry, HomeEntry, MachineEntry, ProcessEntry
from harness.system.disk_usage import directory_bytes


@dataclass(frozen=True)
class MachineStatus:
    """One machine; `size_bytes` is what its directory takes on the disk, `foreign` what in it is not ours, and why."""

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
    """The lab; `session` is who works on it now, `others` what it has besides machines."""

    lab: str
    directory: str
    session: str
    kept_until: str
    expired: bool
    machines: tuple[MachineStatus, ...]
    others: tuple[str, ...]


def look(selection: Selection) -> LabStatus:
    """Return what the lab has.

    Raises:
        HostError: The ledger cannot be read.
        VmrunError: `vmrun list` does not answer.
    """
    content = ledger_of(selection).read()
    machines, ports = content.all_of(MachineEntry), content.all_of(ForwardingEntry)
    vmrun = driver(selection) if machines else None
    found = []
    for machine in machines:
        state = vmrun.power_state(files_of(machine).vmx).value if vmrun else ""
        port = next((rule.port for rule in ports if rule.name == machine.name), None)
        address = selection.spec.machines[machine.name].address if machine.name in selection.spec.machines else ""
        ssh = f"127.0.0.1:{port}" if port else str(address)
        found.append(_status(machine, state, ssh))
    owner = read_owner(selection.vm_directory) if is_held(selection.vm_directory) else None
    return LabStatus(
        lab=selection.spec.name,
        directory=str(selection.vm_directory),
        session=str(owner or ""),
        kept_until=content.kept_until,
        expired=expired(content.kept_until),
        machines=tuple(found),
        others=tuple(_other(thing) for thing in content.entries if not isinstance(thing, MachineEntry)),
    )


def as_json(status: LabStatus) -> dict[str, Any]:
    """Return the same as JSON values."""
    return asdict(status)


def as_text(status: LabStatus) -> list[str]:
    """Return lines for a terminal."""
    lines = [f"in use by {status.session}"] if status.session else []
    if not status.machines and not status.others:
        return [*lines, f"nothing of the lab {status.lab} in {status.directory}"]
    for machine in status.machines:
        size = f"{machine.size_bytes / (1 << 20):.0f} MiB"
        lines.append(f"{machine.name:<16} {machine.state:<9} {size:>8}  ssh {machine.ssh}  {machine.directory}")
        lines.append(f"{'':<16} made by {machine.owner} at {machine.since}, run {machine.run_id}")
        lines += [f"{'':<16} not ours: {item}" for item in machine.foreign]
    lines += [f"also: {other}" for other in status.others]
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


def _other(thing: ForwardingEntry | HomeEntry | ProcessEntry) -> str:
    if isinstance(thing, ForwardingEntry):
        return f"port 127.0.0.1:{thing.port} into {thing.network}, to {thing.name}"
    if isinstance(thing, HomeEntry):
        return f"what the embedded hypervisor remembers, in {thing.name}"
    return f"process {thing.name}" + (f" ({thing.pid})" if thing.pid else "")


def _size(directory: Path) -> int:
    try:
        return directory_bytes(directory)
    except OSError:
        return 0
