"""Restarts: twice the power is cut. Once the ISO is in the drive again, and the disk still boots first; once it is not.

Each boot runs to its end before the power is cut: a power cut is an ordinary accident, not a test of the file system.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.verdict import Check, Phase, Status, judge
from harness.machine.machine import Machine
from harness.phases.installation_identity import (
    Identity,
    installer_events,
    judge_first_boot,
    judge_installer,
    judge_restarted,
    judge_same_machine,
    observe_identity,
)
from harness.phases.power_cycle import judge_no_medium, judge_vmx, restart
from harness.vmware.vmx import Vmx

PHASE = Phase.RESTARTS
CHECKS = (
    "disk first with the ISO attached",
    "power cut",
    "same machine",
    "installer did not run again",
    "no second first boot",
    "ISO detached again",
)


def run(machine: Machine) -> Iterator[Check]:
    """Cut the power and start with the ISO attached, cut it again and start without; compare each time."""
    before = observe_identity(machine)
    tempted = restart(machine, 3, attached=True, cut=True)
    spoke = installer_events(machine)
    yield judge_disk_first(before, tempted, machine.iso.volume_id.strip() if machine.iso else "", spoke)
    after = restart(machine, 4, attached=False, cut=True, log_in=True)
    yield judge_restarted(CHECKS[1], tempted, after)
    yield judge_same_machine(CHECKS[2], before, after)
    yield judge_installer(CHECKS[3], before, after, (*spoke, *installer_events(machine)))
    yield judge_first_boot(CHECKS[4], before, after)
    vmx = judge_vmx(CHECKS[5], Vmx.read(machine.plan.files.vmx))
    yield vmx if vmx.status is not Status.PASS else judge_no_medium(CHECKS[5], after)


def judge_disk_first(before: Identity, after: Identity, expected: str, spoke: tuple[str, ...]) -> Check:
    """Return whether the installed system runs though the seed ISO is in the drive.

    Args:
        expected: The volume identifier of the seed ISO.
        spoke: The installer's events of this power-on.
    """
    drive = f"{after.volume!r} in the drive" if after.volume else "an empty drive"
    there = bool(after.volume) and after.volume == expected
    same = after.machine_id == before.machine_id and after.boot_id != before.boot_id
    return judge(
        CHECKS[0],
        ok=there and same and not spoke,
        expected=f"the installed system, with the ISO {expected!r} in the drive",
        seen=f"{'the same' if same else 'another'} system, {drive}, {', '.join(spoke) or 'no installer'}",
        remedy="the ISO was not attached: this proves nothing; see the VMX"
        if same and not there
        else "the machine boots from its CD: the disk must come first in bios.bootOrder",
    )
