"""`lab tools`: what VMware Tools report of each VM."""

from __future__ import annotations

from collections.abc import Iterator

import click

from harness.cli.options import port, report_errors, say
from harness.cli.selection import selection_options
from harness.lab.evidence.vmware_tools import ask, probe, status_line
from harness.lab.selection import Selection, driver, guest_login, ledger_of
from harness.machine.machine_directory import files_of
from harness.vmrun.driver import Vmrun


@click.command()
@report_errors
@selection_options
def tools(selection: Selection) -> None:
    """Show the VMware Tools state of each VM.

    With a guest account (`tools`) in the lab file, also try a guest operation.
    """
    for line in tools_of_machines(selection, port(driver)(selection)):
        say(line)


def tools_of_machines(selection: Selection, vmrun: Vmrun) -> Iterator[str]:
    """Yield a line per VM of the ledger: its Tools state.

    With a login, the result of a guest operation is in the line.

    Raises:
        UsageError: The password of the guest account is not where the lab file says.
    """
    login = guest_login(selection)
    machines = ledger_of(selection).machines()
    for machine in machines:
        vmx = files_of(machine).vmx
        operations = probe(vmrun.guest(vmx, login)) if login else ""
        yield status_line(machine.name, ask(vmrun, vmx), operations)
    if not machines:
        yield f"nothing of the lab {selection.spec.name} in {selection.vm_directory}"
