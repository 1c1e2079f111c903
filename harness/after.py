"""After the run: what is left of a lab, and its removal by the ledger."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.errors import UsageError
from harness.layout import LEDGER, RunFiles
from harness.ledger import Claim, Ledger
from harness.removal import files_of, remove_machine
from harness.report.files import latest_run
from harness.session import Selection, driver
from harness.wait import Deadline


def newest_run(reports: Path) -> RunFiles:
    """Return the run that `latest` points to.

    Raises:
        UsageError: There is none.
    """
    found = latest_run(reports)
    if found is None:
        raise UsageError("no run here", where=str(reports), remedy="run `pytest scenarios/`, or give --reports")
    return RunFiles(found)


def claimed_machines(selection: Selection) -> list[tuple[Claim, bool]]:
    """Return the machines in the lab's ledger, and whether each one runs."""
    vmrun = driver(selection)
    return [(claim, vmrun.is_running(files_of(claim).vmx)) for claim in ledger_of(selection).claims()]


def remove_lab(selection: Selection, say: Callable[[str], None]) -> None:
    """Have every machine of the ledger stopped and removed; a missing one is a success with a note."""
    ledger, vmrun = ledger_of(selection), driver(selection)
    claims = ledger.claims()
    if not claims:
        say(f"nothing of the lab {selection.spec.name} in {selection.vm_directory}")
    power_s = selection.spec.deadlines_s.power
    with ThreadPoolExecutor(max_workers=max(1, len(claims))) as pool:
        removals = [pool.submit(remove_machine, vmrun, ledger, claim, Deadline(power_s)) for claim in claims]
        for claim, removal in zip(claims, removals, strict=True):
            names = ", ".join(item.name for item in removal.result())
            say(f"{claim.machine}: removed" + (f"; kept, because not ours: {names}" if names else ""))
    with contextlib.suppress(OSError):
        selection.vm_directory.rmdir()
    _remove_home(selection)


def _remove_home(selection: Selection) -> None:
    """Have the embedded hypervisor's own state gone, unless a machine still runs in it."""
    home = selection.hypervisor.home
    if home is not None and home.is_dir() and not driver(selection).list_running():
        shutil.rmtree(home)


def ledger_of(selection: Selection) -> Ledger:
    """Return the ledger of the selected lab."""
    return Ledger(selection.vm_directory / LEDGER, selection.spec.name)
