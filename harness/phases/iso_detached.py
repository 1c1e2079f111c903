"""ISO detached: shut down, without its ISO, the machine restarts from its disk alone, and is the same as before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.core.verdict import Check, Phase
from harness.machine.machine import Machine
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

PHASE = Phase.ISO_DETACHED
CHECKS = (
    "vmx says detached",
    "restarted",
    "same machine",
    "no medium in the guest",
    "installer did not run again",
    "no second first boot",
)


def run(machine: Machine) -> Iterator[Check]:
    """Have the guest shut down, detach the CD in the VMX, power on, and compare the machine with itself."""
    before = observe_identity(machine)
    machine.learn(replace(machine.facts, installation=before.installation))
    after = restart(machine, 2, attached=False)
    yield judge_vmx(CHECKS[0], Vmx.read(machine.plan.files.vmx))
    yield judge_restarted(CHECKS[1], before, after)
    yield judge_same_machine(CHECKS[2], before, after)
    yield judge_no_medium(CHECKS[3], after)
    yield judge_installer(CHECKS[4], before, after, installer_events(machine))
    yield judge_first_boot(CHECKS[5], before, after)
