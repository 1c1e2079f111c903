"""The inventory of running VMs. A query cleans up after crashed supervisors."""

from __future__ import annotations

from pathlib import Path

from harness.system.process_identity import alive
from harness.vmrun_qemu.base import home, records
from harness.vmrun_qemu.base.records import Record


def all_living() -> list[Record]:
    """Return the records of running and starting VMs, oldest first."""
    folder = home.root() / "vm"
    entries = folder.iterdir() if folder.is_dir() else ()
    found = [record for record in map(_living, entries) if record is not None]
    return sorted(found, key=lambda record: record["supervisor"]["created"])


def all_running() -> list[Record]:
    """Return the records of the running VMs, oldest first."""
    return [record for record in all_living() if record["phase"] != "starting"]


def find(vmx: str) -> Record | None:
    """Return the record of a running or starting VM, or None."""
    return _living(home.vm_dir(vmx))


def _living(folder: Path) -> Record | None:
    record = records.load(folder)
    if record is None:
        return None
    if alive(record["supervisor"]):
        return record
    from harness.vmrun_qemu.state.recovery import clean_up  # noqa: PLC0415 - 75 ms, only after a crash

    return None if clean_up(folder) else records.load(folder)
