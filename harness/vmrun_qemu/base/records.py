"""The records of running VMs, one JSON file per VM.

A record is valid while its supervisor lives. `state.inventory` checks that, and cleans up after a crash.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, cast

from harness.system.process_identity import Identity
from harness.vmrun_qemu.base import home


class Plug(TypedDict):
    """The cable of a network card.

    `vmnet` is its network; QEMU listens at `endpoint` for the switch.
    """

    nic: str
    vmnet: str
    endpoint: str


class Record(TypedDict):
    """The state of a VM that is on.

    `phase` is `starting`, `running`, `paused` or `stopping`; `resumed` is true when it continued from saved memory.
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
    """Return the record in a VM's directory, even of a dead supervisor."""
    return cast("Record | None", home.read_json(folder / "record.json"))


def save(record: Record) -> None:
    """Write the record of a VM."""
    folder = home.vm_dir(record["vmx"])
    folder.mkdir(parents=True, exist_ok=True)
    home.write_json(folder / "record.json", record)


def forget(vmx: str) -> None:
    """Delete the record of a VM: from now on it is off."""
    home.remove(home.vm_dir(vmx) / "record.json")
