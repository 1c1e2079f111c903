"""ISO detached: the machine restarts from its disk alone, and is the same machine as before.

The VMX is edited while the machine is off, because VMware writes it again from memory at power-off. A restart is
proven by a changed boot id, never by an answer alone: the system that shuts down answers too.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from harness.config.model import MarkersSpec
from harness.machine import Machine
from harness.phases.cloud_init import wait_until_finished
from harness.verdict import Check, Phase, judge
from harness.vmx import Vmx

PHASE = Phase.ISO_DETACHED
CHECKS = (
    "vmx says detached",
    "restarted",
    "same machine",
    "no medium in the guest",
    "installer did not run again",
    "no second first boot",
)

CD = "sata0:1"


@dataclass(frozen=True)
class Identity:
    """What tells one boot, one installation and one first boot from another.

    `first_boot` has the age of every file that cloud-init writes once per instance.
    """

    boot_id: str
    machine_id: str
    iso_copy: str
    first_boot: str


def run(machine: Machine) -> Iterator[Check]:
    """Power off, detach the CD in the VMX, power on, and compare the machine with itself."""
    spec = machine.host.plan.spec
    before = observe_identity(machine, spec.markers)
    machine.power_off(machine.deadline(spec.deadlines_s.power))
    detach(machine)
    deadline = machine.deadline(spec.deadlines_s.restart)
    machine.power_on(2)
    yield judge_vmx(Vmx.read(machine.plan.files.vmx))
    machine.connect(deadline, not_boot_id=before.boot_id)
    wait_until_finished(machine, machine.boot_ids[-1], deadline.remaining)
    after = observe_identity(machine, spec.markers)
    yield judge(
        CHECKS[1],
        ok=bool(after.boot_id) and after.boot_id != before.boot_id,
        expected=f"another boot id than {before.boot_id}",
        seen=after.boot_id,
        remedy="the machine did not restart: look at its console",
    )
    yield judge(
        CHECKS[2],
        ok=bool(after.machine_id) and after.machine_id == before.machine_id,
        expected=f"machine id {before.machine_id}",
        seen=after.machine_id,
        remedy="this is another installation than the one before the restart",
    )
    yield judge_medium(machine.run("dd if=/dev/sr0 of=/dev/null bs=2048 count=1 2>&1", as_root=True).stdout)
    yield judge_installer(machine, before, after)
    yield judge(
        CHECKS[5],
        ok=bool(after.first_boot) and after.first_boot == before.first_boot,
        expected=f"{len(before.first_boot.splitlines())} per-instance files of cloud-init, as old as before",
        seen=difference(before.first_boot, after.first_boot),
        remedy="cloud-init took the restart for a new machine: compare its instance-id before and after",
    )


def detach(machine: Machine) -> None:
    """Have the CD not connected at the next start, and a fresh serial log for it."""
    vmx = Vmx.read(machine.plan.files.vmx)
    vmx.set(f"{CD}.startConnected", "FALSE")
    vmx.set("serial0.fileName", machine.plan.files.serial(2).name)
    vmx.write(machine.plan.files.vmx)
    machine.saw("ISO detached")


def observe_identity(machine: Machine, markers: MarkersSpec) -> Identity:
    """Ask the guest who it is.

    Raises:
        GuestError: It does not say.
    """
    iso_copy = shlex.quote(markers.iso_copy)
    once = "/var/lib/cloud/instance/sem/* /var/lib/cloud/instance/boot-finished"
    boot_id = machine.run("cat /proc/sys/kernel/random/boot_id")
    machine_id = machine.run("cat /etc/machine-id")
    marker = machine.run(f"stat -c %Y {iso_copy}; cat {iso_copy}", as_root=True)
    first = machine.run(f"stat -L -c %n:%Y {once} | grep -v boot-finished", as_root=True)
    for said in (boot_id, machine_id, marker):
        if not said.ok:
            raise machine.guest_error(f"{said.command}: {said.stderr.strip()}")
    return Identity(boot_id.stdout.strip(), machine_id.stdout.strip(), marker.stdout.strip(), first.stdout.strip())


def judge_vmx(vmx: Vmx) -> Check:
    """Return whether the VMX on disk has the CD not connected at start."""
    value = vmx.get(f"{CD}.startConnected", "TRUE") or ""
    return judge(
        CHECKS[0],
        ok=value.upper() == "FALSE",
        expected=f'{CD}.startConnected = "FALSE"',
        seen=f'{CD}.startConnected = "{value}"',
        remedy="the VMX was written again after the edit: was the machine really off?",
    )


def judge_medium(said: str) -> Check:
    """Return whether reading the CD drive failed for want of a medium (or of a drive)."""
    line = said.strip().splitlines()[0] if said.strip() else "read a block"
    return judge(
        CHECKS[3],
        ok="No medium found" in said or "No such file or directory" in said or "No such device" in said,
        expected="no medium, or no drive",
        seen=line,
        remedy="the ISO is still in the drive: disconnect it in Workstation, and see the VMX",
    )


def judge_installer(machine: Machine, before: Identity, after: Identity) -> Check:
    """Return whether the copy marker is the same, to the second, and no installer spoke in this power-on."""
    spoke = (
        [event.event for event in machine.boot.events if event.event.startswith("installer")] if machine.boot else []
    )
    same = after.iso_copy == before.iso_copy
    marker = "the same marker" if same else f"another marker: {after.iso_copy}"
    return judge(
        CHECKS[4],
        ok=same and not spoke,
        expected="the copy marker of before, and no installer on the serial line",
        seen=f"{marker}; {', '.join(spoke) or 'no installer'}",
        remedy="the machine installs itself again: the disk must come first in bios.bootOrder",
    )


def difference(before: str, after: str) -> str:
    """Return what differs between two listings, or how many lines are the same."""
    changed = sorted(set(after.splitlines()) ^ set(before.splitlines()))
    return "; ".join(changed[:6]) if changed else f"{len(after.splitlines())} files, none newer"
