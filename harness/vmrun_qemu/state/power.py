"""Power state of a VM: queries, and waits for a change."""

from __future__ import annotations

from harness.system import process_identity
from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import UNKNOWN, Failure, not_powered_on, paused
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.base.wait import wait_for
from harness.vmrun_qemu.state import inventory

# A start or a stop that takes longer than this failed.
_SETTLE_S = 180.0
_ENDING_S = 5.0


def running(vmx: str) -> Record:
    """Return the record of a running VM.

    Raises:
        Failure: It is off, suspended or paused.
    """
    record = powered(vmx)
    if record["phase"] == "paused":
        raise paused(vmx)
    return record


def powered(vmx: str) -> Record:
    """Return the record of a VM that is running or paused.

    Raises:
        Failure: It is off or suspended.
    """
    record = inventory.find(vmx)
    if record is None or record["phase"] == "starting":
        raise not_powered_on(vmx)
    return record


def settled(vmx: str) -> Record | None:
    """Wait until a VM is neither starting nor stopping.

    Return its record, None when it is off.
    """

    def settled() -> bool:
        now = inventory.find(vmx)
        return now is None or now["phase"] in ("running", "paused")

    wait_for(settled, _SETTLE_S)
    return inventory.find(vmx)


def gone(record: Record, timeout_s: float) -> bool:
    """Return whether the VM and its supervisor ended within `timeout_s` seconds."""

    def off() -> bool:
        now = inventory.find(record["vmx"])
        return now is None or now["supervisor"] != record["supervisor"]

    if not wait_for(off, timeout_s):
        return False
    # The supervisor deleted the record last. Wait for its end too: a VM that is off has no process.
    wait_for(lambda: not process_identity.alive(record["supervisor"]), _ENDING_S)
    return True


def stays_on(record: Record) -> Failure:
    """Return the failure of a VM that does not power off."""
    return Failure(
        f"{UNKNOWN}: the virtual machine does not go off; see {home.vm_dir(record['vmx']) / 'supervisor.log'}"
    )
