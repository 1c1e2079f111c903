"""Register resources in the ledger before they are created."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

from harness.config.plan import MachinePlan
from harness.core.errors import HarnessError
from harness.core.private import make_private_directory
from harness.ownership.lab_lock import user_name, utc_now
from harness.ownership.ledger import ForwardingEntry, HomeEntry, Ledger, MachineEntry
from harness.ownership.marker import write_marker


def register_directory(ledger: Ledger, plan: MachinePlan, run_id: str) -> None:
    """Register the VM, then create its directory and ownership marker."""
    directory = plan.files.directory
    found = tuple(sorted(os.listdir(directory))) if directory.exists() else None  # noqa: PTH208  (names alone)
    owner = f"{user_name()}@{socket.gethostname()}"
    machine = MachineEntry(plan.name, str(directory), run_id, utc_now(), owner, plan.nonce, found)
    ledger.write(machine)
    make_private_directory(directory)
    about = f"made by the lab {ledger.lab}; `lab down` removes it, and what this lab did not make stays"
    write_marker(directory, machine.token, about)


def register_home(ledger: Ledger, home: Path | None) -> None:
    """Register the state directory of the embedded hypervisor, unless it exists.

    An existing directory is either registered or not ours. An unreadable ledger stays as it is: the environment phase
    reports it, and nothing is created then.
    """
    if home is not None and not home.exists():
        with contextlib.suppress(HarnessError):
            ledger.write(HomeEntry(str(home)))


def register_forwarding(ledger: Ledger, machine: str, network: str, port: int) -> None:
    """Register the port that is about to be forwarded to the VM."""
    ledger.write(ForwardingEntry(machine, network, port))
