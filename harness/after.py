"""After the run: what is left of a lab, and its removal by the ledger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.errors import HostError, UsageError
from harness.layout import RunFiles
from harness.ledger import Content, Machine
from harness.removal import files_of, remove_all, remove_rest
from harness.report.files import latest_run
from harness.session import Selection, driver, ledger_of


def newest_run(reports: Path) -> RunFiles:
    """Return the run that `latest` points to.

    Raises:
        UsageError: There is none.
    """
    found = latest_run(reports)
    if found is None:
        raise UsageError("no run here", where=str(reports), remedy="run `pytest scenarios/`, or give --reports")
    return RunFiles(found)


def claimed_machines(selection: Selection) -> list[tuple[Machine, bool]]:
    """Return the machines in the lab's ledger, and whether each one runs."""
    machines, vmrun = ledger_of(selection).machines(), driver(selection)
    return [(machine, vmrun.is_running(files_of(machine).vmx)) for machine in machines]


def remove_lab(selection: Selection, say: Callable[[str], None]) -> None:
    """Have every thing of the ledger removed; a missing one is a success.

    Raises:
        HostError: Something of it could not be removed; everything else has been.
    """
    ledger, vmrun = ledger_of(selection), driver(selection)
    if ledger.read() == Content():
        say(f"nothing of the lab {selection.spec.name} in {selection.vm_directory}")
    removals = remove_all(vmrun, ledger, None, selection.spec.deadlines_s.power)
    for removal in removals:
        say(str(removal))
    remove_rest(vmrun, ledger)
    ledger.settle()
    failed = [removal.machine for removal in removals if removal.error is not None]
    if failed:
        raise HostError(
            f"not removed: {', '.join(failed)}",
            where=str(selection.vm_directory),
            remedy="do what is said above, then run `lab down` again",
        )
