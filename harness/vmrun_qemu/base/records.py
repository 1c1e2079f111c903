"""The record of a running VM: one JSON file per VM, valid only while its supervisor lives.

`state.inventory` checks that, and cleans up after a crash.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, cast

from harness.system.process_identity import Identity
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
