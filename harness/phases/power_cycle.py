"""Off, the CD drive changed in the VMX, on again: the VMX is edited while the machine is off, because VMware writes it
again from memory at power-off."""

from __future__ import annotations

from harness.machine import Machine
from harness.phases.cloud_init import wait_until_finished
from harness.verdict import Check, judge
from harness.vmx import Vmx

CD = "sata0:1"


def restart(machine: Machine, number: int, *, attached: bool, cut: bool = False) -> None:
    """Have the machine started for the `number`-th time and logged into, its boot at an end.

    Args:
        attached: Whether the ISO is in the drive.
        cut: Whether its power is cut, and the guest not asked to shut down.

    Raises:
        GuestError: It did not come back, or another machine did.
    """
    deadlines = machine.host.plan.spec.deadlines_s
    boot_id = machine.boot_ids[-1]
    if cut:
        machine.cut_power(machine.deadline(deadlines.power))
    else:
        machine.power_off(machine.deadline(deadlines.power))
    edit_vmx(machine, number, attached=attached)
    deadline = machine.deadline(deadlines.restart)
    machine.power_on(number, deadline)
    machine.connect(deadline, not_boot_id=boot_id)
    wait_until_finished(machine, machine.boot_ids[-1], deadline)


def edit_vmx(machine: Machine, number: int, *, attached: bool) -> None:
    """Have the drive as wanted at the next start, and a fresh serial log for it."""
    vmx = Vmx.read(machine.plan.files.vmx)
    vmx.set(f"{CD}.startConnected", "TRUE" if attached else "FALSE")
    vmx.set("serial0.fileName", machine.plan.files.serial(number).name)
    vmx.write(machine.plan.files.vmx)
    machine.saw(f"ISO {'attached' if attached else 'detached'}")


def judge_vmx(name: str, vmx: Vmx) -> Check:
    """Return whether the VMX on disk has the CD not connected at start."""
    value = vmx.get(f"{CD}.startConnected", "TRUE") or ""
    return judge(
        name,
        ok=value.upper() == "FALSE",
        expected=f'{CD}.startConnected = "FALSE"',
        seen=f'{CD}.startConnected = "{value}"',
        remedy="the VMX was written again after the edit: was the machine really off?",
    )


def medium(machine: Machine) -> str:
    """Return what the guest says when it reads a block of its CD drive."""
    return machine.run("dd if=/dev/sr0 of=/dev/null bs=2048 count=1 2>&1", as_root=True).stdout


def judge_no_medium(name: str, said: str) -> Check:
    """Return whether reading the CD drive failed for want of a medium (or of a drive)."""
    line = said.strip().splitlines()[0] if said.strip() else "read a block"
    return judge(
        name,
        ok="No medium found" in said or "No such file or directory" in said or "No such device" in said,
        expected="no medium, or no drive",
        seen=line,
        remedy="the ISO is still in the drive: disconnect it in Workstation, and see the VMX",
    )
