"""`lab down`: the removal of a lab, by its ledger."""

from __future__ import annotations

from collections.abc import Callable

import click

from harness.cli.options import port, report_errors, say
from harness.cli.selection import selection_options
from harness.core.errors import HostError
from harness.lab.keep_policy import expired as is_expired
from harness.lab.selection import Selection, driver, ledger_of, lock
from harness.machine.removal import remove_all, remove_rest
from harness.ownership.ledger import Content
from harness.vmrun.driver import Vmrun


@click.command()
@report_errors
@selection_options
@click.option("--expired", is_flag=True, help="Only after the time that `keep_for` of the lab file gives.")
def down(selection: Selection, expired: bool) -> None:  # noqa: FBT001  (click)
    """Stop and delete the VMs and other resources of this lab.

    Only what the ledger of the lab lists is deleted. Files that the harness did not create stay.
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
        HostError: A VM could not be deleted; all others have been.
    """
    ledger = ledger_of(selection)
    content = ledger.read()
    if content == Content():
        say(f"nothing of the lab {selection.spec.name} in {selection.vm_directory}")
        ledger.delete_scratch_file()
        return
    if only_expired and not is_expired(content.kept_until):
        until = f"until {content.kept_until}" if content.kept_until else "without end"
        say(f"nothing removed: the lab is kept {until}")
        return
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
            remedy="follow the remedies above, then run `lab down` again",
        )
