"""Which machines run: one record per machine, believed only while its supervisor lives."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, cast

from harness.system.process_identity import Identity, alive
from harness.vmrun_qemu.base import home


class Plug(TypedDict):
    """One network card's cable: the network, and where the machine's QEMU listens for the switch."""

    nic: str
    vmnet: str
    endpoint: str


class Record(TypedDict):
    """What is remembered of a machine that runs; `phase` is `starting`, `running`, `paused` or `stopping`.

    `resumed` says that it went on from saved memory.
    """

    vmx: str
    phase: str
    resumed: bool
    supervisor: Identity
    qemu: Identity
    qmp: str
    service: str
    socket_dir: str
    plugs: list[Plug]
    locks: list[str]
    accelerator: str


def load(folder: Path) -> Record | None:
    """Return the record in that directory, whether or not its supervisor lives."""
    return cast("Record | None", home.read_json(folder / "record.json"))


def save(record: Record) -> None:
    """Remember the machine."""
    folder = home.vm_dir(record["vmx"])
    folder.mkdir(parents=True, exist_ok=True)
    home.write_json(folder / "record.json", record)


def forget(vmx: str) -> None:
    """Remove the record: from now on the machine is off."""
    home.remove(home.vm_dir(vmx) / "record.json")


def all_living() -> list[Record]:
    """Return the records of the machines that run or are starting, oldest first; what a crash left is cleaned up."""
    folder = home.root() / "vm"
    entries = folder.iterdir() if folder.is_dir() else ()
    found = [record for record in map(_living, entries) if record is not None]
    return sorted(found, key=lambda record: record["supervisor"]["created"])


def all_running() -> list[Record]:
    """Return the records of the machines that run, oldest first; what a crash left behind is cleaned up."""
    return [record for record in all_living() if record["phase"] != "starting"]


def find(vmx: str) -> Record | None:
    """Return the record of a machine that runs or is starting, or None; a crashed one is cleaned up first."""
    return _living(home.vm_dir(vmx))


def forget_all_of(vmx: str) -> None:
    """Remove all that is remembered of a machine that is off."""
    import shutil  # noqa: PLC0415 - 15 ms that `list` does not pay

    shutil.rmtree(home.vm_dir(vmx), ignore_errors=True)


def _living(folder: Path) -> Record | None:
    record = load(folder)
    if record is None:
        return None
    if alive(record["supervisor"]):
        return record
    from harness.vmrun_qemu.state.recovery import clean_up  # noqa: PLC0415 - only after a crash

    return None if clean_up(folder) else load(folder)
