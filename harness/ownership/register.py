"""Claiming: a machine's directory, the hypervisor's home and a port are in the ledger before they are made."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

from harness.config.plan import MachinePlan
from harness.core.errors import HarnessError
from harness.ownership.lab_lock import now, user_name
from harness.ownership.ledger import ForwardingEntry, HomeEntry, Ledger, MachineEntry
from harness.ownership.marker import write_marker


def register_directory(ledger: Ledger, plan: MachinePlan, run_id: str) -> None:
    """Have the machine's directory, in the ledger before it is made, and with the mark that says whose it is."""
    directory = plan.files.directory
    found = tuple(sorted(os.listdir(directory))) if directory.exists() else None  # noqa: PTH208  (names alone)
    owner = f"{user_name()}@{socket.gethostname()}"
    machine = MachineEntry(plan.name, str(directory), run_id, now(), owner, plan.nonce, found)
    ledger.write(machine)
    directory.mkdir(parents=True, exist_ok=True)
    about = f"made by the lab {ledger.lab}; `lab down` removes it, and what this lab did not make stays"
    write_marker(directory, machine.token, about)


def register_home(ledger: Ledger, home: Path | None) -> None:
    """Have the embedded hypervisor's home in the ledger, unless it is there already and not ours.

    A ledger that cannot be read stays as it is: the environment phase says so, and nothing is created then.
    """
    if home is not None and not home.exists():
        with contextlib.suppress(HarnessError):
            ledger.write(HomeEntry(str(home)))


def register_forwarding(ledger: Ledger, machine: str, network: str, port: int) -> None:
    """Have the port that is about to lead to the machine in the ledger."""
    ledger.write(ForwardingEntry(machine, network, port))
