"""The host judged without a run: what the environment phase would say, and nothing left behind by asking."""

from __future__ import annotations

import contextlib

from harness import preflight as host
from harness.core.errors import HarnessError
from harness.core.verdict import Check
from harness.lab.selection import Selection, driver, forward_ports, ledger_of
from harness.machine.removal import remove_rest
from harness.ownership.register import register_home
from harness.seed.inspect import inspect_iso
from harness.system.ports import HeldPorts


def examine(selection: Selection) -> tuple[Check, ...]:
    """Return the checks of the environment phase; the caller holds the lab."""
    ledger, vmrun = ledger_of(selection), driver(selection)
    register_home(ledger, selection.hypervisor.home)
    with HeldPorts() as ports:
        planned = selection.plan("doctor", forward_ports(selection.spec, ports))
        checks = host.judge_all(planned, host.collect(planned, selection.hypervisor, vmrun, inspect_iso))
    with contextlib.suppress(HarnessError):  # a ledger that cannot be read is one of the checks
        remove_rest(vmrun, ledger)
    return checks
