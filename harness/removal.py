"""Removal of one machine of this lab: the only deletion in the project, and it goes by the ledger."""

from __future__ import annotations

from pathlib import Path

from harness.layout import MachineFiles
from harness.ledger import Claim, Ledger, remove_machine_directory
from harness.vmrun import Vmrun
from harness.wait import Deadline


def files_of(claim: Claim) -> MachineFiles:
    """Return the files of a claimed machine."""
    return MachineFiles(Path(claim.directory), claim.machine)


def remove_machine(vmrun: Vmrun, ledger: Ledger, claim: Claim, deadline: Deadline) -> tuple[Path, ...]:
    """Have the machine stopped, deleted, its own files gone and its claim released; what is missing is fine.

    Returns:
        The foreign files in its directory, which stay.

    Raises:
        VmrunError: It could not be stopped or deleted.
        HostError: A file of ours could not be removed.
    """
    files = files_of(claim)
    if vmrun.is_running(files.vmx):
        # Its disk is about to be deleted: there is nothing to shut down for.
        vmrun.stop_and_verify(files.vmx, deadline, soft_s=0)
    if files.vmx.exists():
        vmrun.delete_vm(files.vmx)
    left = remove_machine_directory(files.directory, claim.machine)
    if claim.port:
        _stop_forwarding(vmrun, claim)
    ledger.release(claim.machine)
    return left


def _stop_forwarding(vmrun: Vmrun, claim: Claim) -> None:
    for forwarding in vmrun.networks.list_port_forwardings(claim.network):
        if forwarding.host_port == claim.port:
            vmrun.networks.delete_port_forwarding(claim.network, forwarding)
