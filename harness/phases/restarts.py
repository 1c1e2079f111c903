"""Restarts: twice the power is cut. Once the ISO is in the drive again, and the disk still boots first; once it is not.

Each boot runs to its end before the power is cut: a power cut is an ordinary accident, not a test of the file system.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.machine import Machine
from harness.phases.identity import (
    Identity,
    installer_events,
    judge_first_boot,
    judge_installer,
    judge_restarted,
    judge_same_machine,
    observe_identity,
)
from harness.phases.power_cycle import judge_no_medium, judge_vmx, medium, restart
from harness.verdict import Check, Phase, Status, judge
from harness.vmx import Vmx

PHASE = Phase.RESTARTS
CHECKS = (
    "disk first with the ISO attached",
    "power cut",
    "same machine",
    "installer did not run again",
    "no second first boot",
    "ISO detached again",
)

# ISO 9660, 8.4: the primary volume descriptor is sector 16; its volume identifier is 32 bytes from byte 40 on.
VOLUME_ID = "dd if=/dev/sr0 bs=2048 skip=16 count=1 2>/dev/null | dd bs=1 skip=40 count=32 2>/dev/null"


def run(machine: Machine) -> Iterator[Check]:
    """Cut the power and start with the ISO attached, cut it again and start without; compare each time."""
    markers = machine.host.plan.spec.markers
    before = observe_identity(machine, markers)
    restart(machine, 3, attached=True, cut=True)
    tempted = observe_identity(machine, markers)
    spoke = installer_events(machine)
    label = machine.run(VOLUME_ID, as_root=True).stdout.strip()
    yield judge_disk_first(before, tempted, label, machine.iso.volume_id.strip() if machine.iso else "", spoke)
    restart(machine, 4, attached=False, cut=True)
    after = observe_identity(machine, markers)
    yield judge_restarted(CHECKS[1], tempted, after)
    yield judge_same_machine(CHECKS[2], before, after)
    yield judge_installer(CHECKS[3], before, after, (*spoke, *installer_events(machine)))
    yield judge_first_boot(CHECKS[4], before, after)
    vmx = judge_vmx(CHECKS[5], Vmx.read(machine.plan.files.vmx))
    yield vmx if vmx.status is not Status.PASS else judge_no_medium(CHECKS[5], medium(machine))


def judge_disk_first(before: Identity, after: Identity, label: str, expected: str, spoke: tuple[str, ...]) -> Check:
    """Return whether the installed system runs though the seed ISO is in the drive.

    Args:
        label: The volume identifier that the guest reads from its drive.
        expected: That of the seed ISO.
        spoke: The installer's events of this power-on.
    """
    there = bool(label) and label == expected
    same = after.machine_id == before.machine_id and after.boot_id != before.boot_id
    return judge(
        CHECKS[0],
        ok=there and same and not spoke,
        expected=f"the installed system, with the ISO {expected!r} in the drive",
        seen=f"{'the same' if same else 'another'} system, {f'{label!r} in the drive' if label else 'an empty drive'}, "
        f"{', '.join(spoke) or 'no installer'}",
        remedy="the ISO was not attached: this proves nothing; see the VMX"
        if same and not there
        else "the machine boots from its CD: the disk must come first in bios.bootOrder",
    )
