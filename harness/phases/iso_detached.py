"""ISO detached: without its ISO the same VM restarts from its disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.config.model import DeadlinesSpec
from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim
from harness.core.verdict import Check, Phase
from harness.phases.installation_identity import (
    installer_events,
    judge_first_boot,
    judge_installer,
    judge_restarted,
    judge_same_machine,
    observe_identity,
)
from harness.phases.power_cycle import judge_no_medium, judge_vmx, restart
from harness.vmware.vmx import Vmx

if TYPE_CHECKING:
    from harness.machine.machine import Machine

PHASE = Phase.ISO_DETACHED
VMX = CheckSpec(PHASE, "vmx says detached", (Claim.DETACHED,), "the CD drive not connected at start")
RESTARTED = CheckSpec(PHASE, "restarted", (Claim.RESTARTED,), "another boot id than before")
SAME = CheckSpec(PHASE, "same machine", (Claim.RESTARTED,), "machine id and host keys as before")
NO_MEDIUM = CheckSpec(PHASE, "no medium in the guest", (Claim.DETACHED,), "no medium, or no drive")
NO_INSTALLER = CheckSpec(PHASE, "installer did not run again", (Claim.DETACHED,), "one run counted on the disk")
NO_FIRST_BOOT = CheckSpec(PHASE, "no second first boot", (Claim.DETACHED,), "cloud-init's instance and files unchanged")
CHECKS = (VMX, RESTARTED, SAME, NO_MEDIUM, NO_INSTALLER, NO_FIRST_BOOT)


def run(machine: Machine, limits: DeadlinesSpec) -> Iterator[Check]:
    """Shut down, detach the CD, power on, and compare identities."""
    before = observe_identity(machine)
    machine.learn(replace(machine.facts, installation=before.installation))
    after = restart(machine, limits, 2, attached=False)
    yield judge_vmx(VMX, Vmx.read(machine.plan.files.vmx))
    yield judge_restarted(RESTARTED, before, after)
    yield judge_same_machine(SAME, before, after)
    yield judge_no_medium(NO_MEDIUM, after)
    yield judge_installer(NO_INSTALLER, before, after, installer_events(machine))
    yield judge_first_boot(NO_FIRST_BOOT, before, after)
