"""Power cycles: power off, edit the CD drive, power on.

The VMX is edited while the VM is off: VMware writes it again from memory at power-off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.config.model import DeadlinesSpec
from harness.config.vmx_template import CD_CONNECTED, SECOND_CD, SECOND_CD_CONNECTED
from harness.core.check_spec import CheckSpec
from harness.core.deadline import Deadline
from harness.core.verdict import Check
from harness.phases.cloud_init import wait_until_finished
from harness.phases.installation_identity import Identity, identity_from_event, observe_identity
from harness.vmware.vmx import Vmx

if TYPE_CHECKING:
    from harness.machine.machine import Machine


def restart(
    machine: Machine, limits: DeadlinesSpec, number: int, *, attached: bool, cut: bool = False, log_in: bool = False
) -> Identity:
    """Restart the VM; return its identity after the boot.

    A guest that reports everything on its serial port is not logged into, unless `log_in` is set: a login costs a
    booting guest some ten seconds of its processors.

    Args:
        number: Which power-on of the installation it is.
        attached: Whether the ISO is in the drive.
        cut: Whether its power is cut, and the guest not asked to shut down.
        log_in: Whether it is logged into.

    Raises:
        GuestError: It did not come back, or another machine did.
    """
    boot_id = machine.facts.boot_id
    if cut:
        machine.power.cut(machine.deadline(limits.power, "power"))
    else:
        machine.power.off(machine.deadline(limits.power, "power"))
    edit_vmx(machine, number, attached=attached)
    deadline = machine.deadline(limits.restart, "restart")
    machine.power.on(number, deadline)
    if log_in or not _reported_its_end(machine, boot_id, deadline):
        machine.ssh.connect(deadline, not_boot_id=boot_id)
        wait_until_finished(machine, machine.facts.boot_id, deadline)
    return observe_identity(machine)


def _reported_its_end(machine: Machine, not_boot_id: str, deadline: Deadline) -> bool:
    """Wait for the event that ends a boot; return whether the identity came."""

    def answer() -> str | None:
        event = machine.console.last("boot-complete")
        if event is not None and event.boot_id != not_boot_id:
            return event.boot_id
        return "" if machine.console.silent else None

    boot_id = machine.wait_for("the end of its boot", answer, deadline)
    if not boot_id or identity_from_event(machine, boot_id) is None:
        return False
    machine.learn(machine.facts.booted(boot_id))
    return True


def edit_vmx(machine: Machine, number: int, *, attached: bool) -> None:
    """Set CD drives and serial log for the next power-on."""
    vmx = Vmx.read(machine.plan.files.vmx)
    for key in _drives(vmx):
        vmx.set(key, "TRUE" if attached else "FALSE")
    vmx.set("serial0.fileName", machine.plan.files.serial(number).name)
    vmx.write(machine.plan.files.vmx)
    machine.journal.state(f"ISO {'attached' if attached else 'detached'}")


def judge_vmx(check: CheckSpec, vmx: Vmx) -> Check:
    """Return whether the VMX on disk leaves the CDs disconnected at start."""
    values = {key: vmx.get(key, "TRUE") or "" for key in _drives(vmx)}
    return check.judge(
        ok=all(value.upper() == "FALSE" for value in values.values()),
        expected=", ".join(f'{key} = "FALSE"' for key in values),
        seen=", ".join(f'{key} = "{value}"' for key, value in values.items()),
        remedy="the VMX was written again after the edit: was the machine really off?",
    )


def _drives(vmx: Vmx) -> tuple[str, ...]:
    """Return the keys that connect the CD drives of a VM at its start."""
    second = (vmx.get(f"{SECOND_CD}.present") or "").upper() == "TRUE"
    return (CD_CONNECTED, SECOND_CD_CONNECTED) if second else (CD_CONNECTED,)


def judge_no_medium(check: CheckSpec, seen: Identity) -> Check:
    """Return whether the guest found no medium, or no drive."""
    line = seen.drive.splitlines()[0] if seen.drive else f"{seen.volume!r} in the drive"
    line += f"; {seen.second_drive.splitlines()[0]}" if seen.second_drive else ""
    return check.judge(
        ok=_is_empty(seen.drive) and (not seen.second_drive or _is_empty(seen.second_drive)),
        expected="no medium, or no drive",
        seen=line,
        remedy="the ISO is still in the drive: disconnect it in Workstation, and see the VMX",
    )


def _is_empty(error: str) -> bool:
    """Return whether reading a drive ended as it does without a medium."""
    return any(text in error for text in ("No medium found", "No such file or directory", "No such device"))
