"""`lab doctor`: the selected hypervisor, and the environment phase without a run."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from harness.cli.options import report_errors, say
from harness.cli.selection import selection_options
from harness.config.plan import LabPlan
from harness.core.errors import HarnessError
from harness.core.verdict import Check, Status
from harness.lab.selection import Selection, driver, forward_ports, ledger_of, lock
from harness.machine.removal import remove_rest
from harness.ownership.register import register_home
from harness.preflight.collect import collect
from harness.preflight.facts import SeedIso
from harness.preflight.judge import judge_all
from harness.system.ports import HeldPorts
from harness.vmrun.discovery import Hypervisor

_SIGNS = {
    Status.PASS: "ok  ",
    Status.FAIL: "FAIL",
    Status.ERROR: "ERR ",
    Status.NOT_PROVEN: "?   ",
    Status.NOT_ASKED: "-   ",
}


@click.command()
@report_errors
@selection_options
def doctor(selection: Selection) -> None:
    """Show which hypervisor is used and why, and check this host.

    The checks are those of the environment phase. Exits with 1 if a check fails.
    """
    say(candidates_text(selection.hypervisor))
    with lock(selection, say):
        checks = examine(selection)
    say(checks_text(checks))
    if any(check.status.stops for check in checks):
        sys.exit(1)


def examine(selection: Selection) -> tuple[Check, ...]:
    """Return the checks of the environment phase, and delete what the checks created.

    The caller holds the lock of the lab.
    """
    ledger, vmrun = ledger_of(selection), driver(selection)
    register_home(ledger, selection.hypervisor.home)
    with HeldPorts() as ports:
        planned = selection.plan("doctor", forward_ports(selection.spec, ports))
        facts = collect(planned, selection.hypervisor, vmrun, _seed_reader(planned))
        checks = judge_all(planned, facts)
    with contextlib.suppress(HarnessError):  # An unreadable ledger is one of the checks.
        remove_rest(vmrun, ledger)
    return checks


def _seed_reader(planned: LabPlan) -> Callable[[Path], SeedIso]:
    """Return a function that checks a seed ISO, loaded with the first."""

    def read(path: Path) -> SeedIso:
        from harness.seed.foreign.check import checked_reader, utc_now  # noqa: PLC0415 - saves 80 ms before `lab seed`

        return checked_reader(planned, utc_now)(path)

    return read


def candidates_text(hypervisor: Hypervisor) -> str:
    """Return a line per candidate: its place, and why it is used or not."""
    rows = [
        f"{'->' if found.selected else '  '} {found.source:<22} {found.path or '-'}\n      {found.why}"
        for found in hypervisor.candidates
    ]
    return "\n".join(["vmrun", *rows, f"version: {hypervisor.version}"])


def checks_text(checks: Sequence[Check]) -> str:
    """Return a line per check.

    A check that did not pass is followed by its expectation and remedy.
    """
    lines = []
    for check in checks:
        lines.append(f"{_SIGNS.get(check.status, check.status.value)} {check.name}: {check.seen}")
        if check.status is not Status.PASS:
            lines += [f"       expected: {check.expected}", f"       remedy:   {check.remedy}"]
    return "\n".join(lines)
