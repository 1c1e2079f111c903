"""After the run: what is left of a lab, and its removal by the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from harness.core.errors import HostError, UsageError
from harness.core.layout import RunFiles
from harness.lab.evidence import vmware_tools as guest_tools
from harness.lab.keep_policy import expired
from harness.lab.selection import Selection, driver, guest_login, ledger_of
from harness.machine.removal import files_of, remove_all, remove_rest
from harness.ownership.ledger import Content
from harness.report.writer import latest_run


def newest_run(reports: Path) -> RunFiles:
    """Return the run that `latest` points to.

    Raises:
        UsageError: There is none.
    """
    found = latest_run(reports)
    if found is None:
        raise UsageError("no run here", where=str(reports), remedy="run `pytest scenarios/`, or give --reports")
    return RunFiles(found)


def tools_of_machines(selection: Selection) -> Iterator[str]:
    """Yield a line for each machine of the ledger: what Tools say, and whether a guest operation works.

    The latter needs `tools` in the lab file.
    """
    vmrun, login = driver(selection), guest_login(selection)
    machines = ledger_of(selection).machines()
    for machine in machines:
        vmx = files_of(machine).vmx
        operations = guest_tools.probe(vmrun.guest(vmx, login)) if login else ""
        yield guest_tools.status_line(machine.name, guest_tools.ask(vmrun, vmx), operations)
    if not machines:
        yield f"nothing of the lab {selection.spec.name} in {selection.vm_directory}"


def remove_lab(selection: Selection, say: Callable[[str], None], *, only_expired: bool = False) -> None:
    """Have every thing of the ledger removed, or, with `only_expired`, nothing before its time; a missing one is fine.

    Raises:
        HostError: Something of it could not be removed; everything else has been.
    """
    ledger = ledger_of(selection)
    content = ledger.read()
    if content == Content():
        say(f"nothing of the lab {selection.spec.name} in {selection.vm_directory}")
        ledger.delete_scratch_file()
        return
    if only_expired and not expired(content.kept_until):
        say(
            f"nothing removed: the lab is kept {f'until {content.kept_until}' if content.kept_until else 'without end'}"
        )
        return
    vmrun = driver(selection)
    removals = remove_all(vmrun, ledger, None, selection.spec.deadlines_s.power)
    for removal in removals:
        say(str(removal))
    remove_rest(vmrun, ledger)
    ledger.delete_scratch_file()
    failed = [removal.machine for removal in removals if removal.error is not None]
    if failed:
        raise HostError(
            f"not removed: {', '.join(failed)}",
            where=str(selection.vm_directory),
            remedy="do what is said above, then run `lab down` again",
        )
