"""The inventory: which VMs run. Cleans up after supervisors that crashed."""

from __future__ import annotations

from pathlib import Path

from harness.system.process_identity import alive
from harness.vmrun_qemu.base import home, records
from harness.vmrun_qemu.base.records import Record


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


def _living(folder: Path) -> Record | None:
    record = records.load(folder)
    if record is None:
        return None
    if alive(record["supervisor"]):
        return record
    from harness.vmrun_qemu.state.recovery import clean_up  # noqa: PLC0415 - 75 ms, only after a crash

    return None if clean_up(folder) else records.load(folder)
