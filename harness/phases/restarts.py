"""Restarts: two power cuts, the first with the ISO attached again.

The disk still has to boot first. Each boot ends before the power is cut: a power cut is an ordinary accident here, not
a test of the file system.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from harness.config.model import DeadlinesSpec
from harness.config.vmx_template import CHANGED_BY_PHASES
from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim
from harness.core.verdict import Check, Phase, Status
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
from harness.vmware.vmx_devices import vmx_differences

if TYPE_CHECKING:
    from harness.machine.machine import Machine

PHASE = Phase.RESTARTS
DISK_FIRST = CheckSpec(
    PHASE, "disk first with the ISO attached", (Claim.DETACHED,), "the installed system, with the ISO in the drive"
)
POWER_CUT = CheckSpec(PHASE, "power cut", (Claim.RESTARTED,), "another boot id than before")
SAME = CheckSpec(PHASE, "same machine", (Claim.RESTARTED,), "machine id and host keys as before")
NO_INSTALLER = CheckSpec(PHASE, "installer did not run again", (Claim.DETACHED,), "one run counted on the disk")
NO_FIRST_BOOT = CheckSpec(
    PHASE, "no second first boot", (Claim.RESTARTED,), "cloud-init's instance and files unchanged"
)
DETACHED = CheckSpec(PHASE, "ISO detached again", (Claim.DETACHED,), "the CD drive not connected, and no medium in it")
DEVICES = CheckSpec(PHASE, "vmx as planned", (Claim.BUILT,), "the planned keys, and no further device")
CHECKS = (DISK_FIRST, POWER_CUT, SAME, NO_INSTALLER, NO_FIRST_BOOT, DETACHED, DEVICES)


def run(machine: Machine, limits: DeadlinesSpec) -> Iterator[Check]:
    """Cut the power twice; start with the ISO, then without; compare."""
    before = observe_identity(machine)
    with_iso = restart(machine, limits, 3, attached=True, cut=True)
    installer = installer_events(machine)
    yield judge_disk_first(before, with_iso, _booting_volume(machine), installer)
    after = restart(machine, limits, 4, attached=False, cut=True, log_in=True)
    yield judge_restarted(POWER_CUT, with_iso, after)
    yield judge_same_machine(SAME, before, after)
    yield judge_installer(NO_INSTALLER, before, after, (*installer, *installer_events(machine)))
    yield judge_first_boot(NO_FIRST_BOOT, before, after)
    vmx = Vmx.read(machine.plan.files.vmx)
    detached = judge_vmx(DETACHED, vmx)
    yield detached if detached.status is not Status.PASS else judge_no_medium(DETACHED, after)
    yield judge_devices(machine.plan.vmx, dict(vmx.items()))


def _booting_volume(machine: Machine) -> str:
    """Return the volume identifier of the ISO in the first CD drive."""
    from harness.seed.inspect import inspect_iso  # noqa: PLC0415 - saves 20 ms where tests are only collected

    iso = inspect_iso(machine.plan.installer) if machine.plan.installer else machine.iso
    return iso.volume_id.strip() if iso else ""


def judge_devices(planned: Mapping[str, str], read: Mapping[str, str]) -> Check:
    """Return whether the VMX still has the planned keys and no further device."""
    wrong = vmx_differences(planned, read, CHANGED_BY_PHASES)
    return DEVICES.judge(
        ok=not wrong,
        seen="; ".join(wrong) or "the planned keys, and no further device",
        remedy="something edited the VMX since it was created: build the machine again with --fresh",
    )


def judge_disk_first(before: Identity, after: Identity, expected: str, installer: tuple[str, ...]) -> Check:
    """Return whether the disk booted first with the ISO attached.

    Args:
        expected: The volume identifier of the seed ISO.
        installer: The installer's events of this power-on.
    """
    drive = f"{after.volume!r} in the drive" if after.volume else "an empty drive"
    there = bool(after.volume) and after.volume == expected
    same = after.machine_id == before.machine_id and after.boot_id != before.boot_id
    return DISK_FIRST.judge(
        ok=there and same and not installer,
        expected=f"the installed system, with the ISO {expected!r} in the drive",
        seen=f"{'the same' if same else 'another'} system, {drive}, {', '.join(installer) or 'no installer'}",
        remedy="the ISO was not attached: this proves nothing; see the VMX"
        if same and not there
        else "the machine boots from its CD: the disk must come first in bios.bootOrder",
    )
