from __future__ import annotations

import pytest
from run_samples import WORKER, create, events_of, machine_of

from harness.core.verdict import Check, Phase, Status, Verdict
from harness.lab.evidence.run_evidence import RunEvidence
from harness.machine.context import RunContext
from harness.machine.machine import Machine


@pytest.fixture
def machine(context: RunContext) -> Machine:
    """A VM that was switched on; its guest sends a kernel panic to the console."""
    create(context, context.plan.machine(WORKER))
    machine = machine_of(context)
    machine.power.on(1, machine.deadline(60))
    console = "[ 1.0] Kernel panic - not syncing: sysrq triggered crash\n"
    machine.plan.files.serial(1).write_text(console, encoding="utf-8")
    machine.console.listen()
    return machine


def failed() -> Verdict:
    return Verdict(Phase.BOOT, WORKER, (Check("ssh login", Status.FAIL, "a login", "none"),), 0.0, 1.0)


def files(machine: Machine) -> set[str]:
    directory = machine.context.run.machine(machine.name)
    return {path.name for path in directory.iterdir()} if directory.is_dir() else set()


def test_a_failure_is_explained_by_the_console(machine: Machine) -> None:
    verdict = RunEvidence().explain(failed(), machine)
    assert "kernel panic" in str(verdict.checks[0].why).lower()
    assert {"serial-1.log", f"{WORKER}.vmx"} <= files(machine)
    paths = [event["path"] for event in events_of(machine.context, "evidence")]
    assert f"{WORKER}/serial-1.log" in paths


def test_a_machine_that_was_never_switched_on_has_no_evidence(context: RunContext) -> None:
    machine = machine_of(context)
    assert RunEvidence().explain(failed(), machine) == failed()
    assert files(machine) == set()


def test_the_last_evidence_is_complete_for_a_suspect_only(machine: Machine) -> None:
    evidence = RunEvidence()
    evidence.collect_last(machine)
    assert not [event for event in events_of(machine.context, "evidence") if "screen" in str(event["path"])]
    suspecting = RunEvidence()
    suspecting.suspect(WORKER)
    suspecting.collect_last(machine)
    assert [event for event in events_of(machine.context, "evidence") if "screen" in str(event["path"])]
    assert not machine.ssh.connected


def test_a_machine_with_a_guest_that_was_never_asked_is_not_stopped(machine: Machine) -> None:
    RunEvidence().collect_before_deletion(machine)
    assert machine.power.is_running(), "no one knows yet that its guest is silent"
