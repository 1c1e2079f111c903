"""`lab down`: the removal of a lab, by its ledger."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import click

from harness.cli.options import port, report_errors, say
from harness.cli.selection import selection_options
from harness.core.errors import HarnessError, HostError
from harness.lab.keep_policy import expired as is_expired
from harness.lab.selection import Selection, driver, ledger_of, lock
from harness.lab.unregistered import Unregistered, end_unregistered, find_unregistered
from harness.machine.removal import remove_all, remove_rest
from harness.ownership.ledger import Content
from harness.ownership.marker import is_link
from harness.vmrun.driver import Vmrun


@click.command()
@report_errors
@selection_options
@click.option("--expired", is_flag=True, help="Only after the time that `keep_for` of the lab file gives.")
def down(selection: Selection, expired: bool) -> None:  # noqa: FBT001  (click)
    """Stop and delete the VMs and other resources of this lab.

    Only what the ledger of the lab lists is deleted. Files that the harness did not create stay, and are named until
    they are gone. A VM of the lab that runs without being in the ledger is stopped; its files stay. Exits with 1 if a
    VM remains.
    """
    with lock(selection, say):
        remove_lab(selection, port(driver)(selection), say, only_expired=expired)


def remove_lab(selection: Selection, vmrun: Vmrun, say: Callable[[str], None], *, only_expired: bool = False) -> None:
    """Delete every resource of the ledger; one that is gone already is no error.

    Args:
        selection: The lab; the caller holds its lock.
        vmrun: The driver.
        say: Receives a line per resource.
        only_expired: Delete nothing before the time until which the lab is kept.

    Raises:
        HostError: A VM could not be deleted, or is not in the ledger; all others have been deleted.
    """
    ledger = ledger_of(selection)
    content = ledger.read()
    rest = find_unregistered(selection, content, vmrun)
    if content == Content() and not rest:
        say(f"nothing of the lab {selection.spec.name} in {selection.vm_directory}")
        _remove_state(selection, vmrun)
        ledger.delete_scratch_file()
        return
    if only_expired and not is_expired(content.kept_until):
        until = f"until {content.kept_until}" if content.kept_until else "without end"
        say(f"nothing removed: the lab is kept {until}")
        return
    removals = remove_all(vmrun, ledger, None, selection.spec.deadlines_s.power)
    for removal in removals:
        say(str(removal))
    running = end_unregistered(rest, vmrun, say, selection.spec.deadlines_s.power)
    for directory in rest.directories:
        say(str(directory))
    remove_rest(vmrun, ledger)
    if not running and ledger.read() == Content():
        _remove_state(selection, vmrun)
    ledger.delete_scratch_file()
    _report_remaining([removal.machine for removal in removals if removal.error is not None], running, rest, selection)


def _remove_state(selection: Selection, vmrun: Vmrun) -> None:
    """Delete the embedded hypervisor's state that the ledger does not name.

    Files of others stay.
    """
    home = selection.hypervisor.home
    if home is not None and home.is_dir() and not is_link(home):
        with contextlib.suppress(HarnessError):
            vmrun.remove_state()


def _report_remaining(failed: list[str], running: tuple[str, ...], rest: Unregistered, selection: Selection) -> None:
    """Raise if a VM or a process remains.

    Raises:
        HostError: Which, and what to do.
    """
    remedies = []
    if failed:
        remedies.append("follow the remedies above, then run `lab down` again")
    if running:
        remedies.append("stop it by hand (`vmrun stop`), then run `lab down` again")
    if rest.machines:
        adopt = f"lab adopt {' '.join(rest.machines)}"
        remedies.append(f"if it is to be deleted, hand it over: {adopt}; then run `lab down` again; or move it away")
    if remedies:
        raise HostError(
            f"not removed: {', '.join((*failed, *running, *rest.machines))}",
            where=str(selection.vm_directory),
            remedy="\n".join(remedies),
        )
