from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from run_samples import WORKER, events_of, machine_of, no_resumption

from harness.config.model import DeadlinesSpec
from harness.core.check_spec import CheckSpec
from harness.core.deadline import SessionClock
from harness.core.errors import HostError
from harness.core.verdict import Check, Phase, Status, Verdict
from harness.lab.evidence.run_evidence import RunEvidence
from harness.lab.keep_policy import MachineUse
from harness.lab.machine_worker import MachineWorker
from harness.lab.resume.continuation import Resumption
from harness.lab.resume.decision import Decision, ResumeMode
from harness.lab.selection import Selection
from harness.lab.verdicts import Verdicts
from harness.machine.context import RunContext
from harness.machine.machine import Machine
from harness.phases import CARRIED_PHASES, cleanup
from harness.phases.runner import PhaseModule
from harness.results.journal import Journal

GOOD = Verdict(Phase.ENVIRONMENT, None, (), 0.0, 0.0)


@dataclass
class FakePhase:
    """A phase with one check.

    Attributes:
        act: What it does before it passes.
        runs: The machines that it ran on.
    """

    PHASE: Phase
    act: Callable[[], object] = lambda: None
    runs: list[str] = field(default_factory=list)

    @property
    def CHECKS(self) -> tuple[CheckSpec, ...]:
        return (CheckSpec(self.PHASE, "it works", (), "works"),)

    def run(self, machine: Machine, limits: DeadlinesSpec) -> Iterator[Check]:
        assert limits == machine.context.plan.spec.deadlines_s
        self.runs.append(machine.name)
        self.act()
        yield self.CHECKS[0].judge(ok=True, seen="works")


class Resumes(Resumption):
    """Continues a machine with a given result."""

    decision = Decision((), "")
    refused: Check | None = None
    defect: Exception | None = None

    def resume(self, machine: Machine) -> Decision:
        if self.defect is not None:
            raise self.defect
        return self.decision

    def refusal(self, machine: Machine, decision: Decision) -> Check | None:
        return self.refused


@pytest.fixture
def verdicts(journal: Journal) -> Verdicts:
    return Verdicts(journal)


@pytest.fixture
def resumes(selection: Selection) -> Resumes:
    return Resumes(ResumeMode.RESUME, {}, selection.plan, CARRIED_PHASES)


@pytest.fixture
def worker(context: RunContext, clock: SessionClock, verdicts: Verdicts, resumes: Resumes) -> MachineWorker:
    machine = machine_of(context)
    return MachineWorker(machine, verdicts=verdicts, resumption=resumes, evidence=RunEvidence(), clock=clock)


def broken() -> None:
    raise HostError("the disk is full", remedy="-")


def phases(*acts: Callable[[], object]) -> list[PhaseModule]:
    return [FakePhase(phase, act) for phase, act in zip((Phase.CLEANUP, Phase.CREATION, Phase.BOOT), acts, strict=True)]


def nothing() -> None:
    """Do nothing."""


def statuses(verdicts: Verdicts) -> dict[Phase, Status]:
    return {verdict.phase: verdict.status for verdict in verdicts.recorded()}


def test_each_phase_has_a_verdict(worker: MachineWorker, verdicts: Verdicts, context: RunContext) -> None:
    worker.work(phases(nothing, nothing, nothing), GOOD)
    assert set(statuses(verdicts).values()) == {Status.PASS}
    assert len(verdicts.recorded()) == 3
    assert worker.use is MachineUse.BUILT
    assert context.barrier.missing([WORKER]) == {WORKER: "it had no more to do"}


def test_a_failed_phase_blocks_those_after_it(worker: MachineWorker, verdicts: Verdicts, context: RunContext) -> None:
    last = FakePhase(Phase.BOOT)
    worker.work([*phases(nothing, broken, nothing)[:2], last], GOOD)
    assert statuses(verdicts) == {
        Phase.CLEANUP: Status.PASS,
        Phase.CREATION: Status.ERROR,
        Phase.BOOT: Status.BLOCKED,
    }
    assert last.runs == []
    blocked = verdicts.known(WORKER, Phase.BOOT)
    assert blocked is not None
    assert blocked.blocked_by == f"creation of {WORKER}"
    assert context.barrier.missing([WORKER]) == {WORKER: f"creation of {WORKER}"}


def test_a_bad_environment_blocks_everything(worker: MachineWorker, verdicts: Verdicts) -> None:
    bad = Verdict(Phase.ENVIRONMENT, None, (Check("disk", Status.FAIL, "free", "full"),), 0.0, 0.0)
    worker.work(phases(nothing, nothing, nothing), bad)
    assert set(statuses(verdicts).values()) == {Status.BLOCKED}
    assert worker.use is None


def test_carried_verdicts_are_not_reached_again(worker: MachineWorker, verdicts: Verdicts, resumes: Resumes) -> None:
    carried = Verdict(Phase.CLEANUP, WORKER, (Check("gone", Status.PASS, "-", "-"),), 5.0, 6.0, carried_from="run-1")
    resumes.decision = Decision((carried,), "goes on")
    first = FakePhase(Phase.CLEANUP)
    worker.work([first], GOOD)
    (verdict,) = verdicts.recorded()
    assert (first.runs, verdict.carried_from, verdict.checks) == ([], "run-1", carried.checks)
    assert worker.use is MachineUse.REUSED


def test_a_refused_machine_is_left_alone(worker: MachineWorker, verdicts: Verdicts, resumes: Resumes) -> None:
    resumes.refused = Check("reusable", Status.ERROR, "finished", "it is not")
    first = FakePhase(Phase.CLEANUP)
    worker.work([first], GOOD)
    (verdict,) = verdicts.recorded()
    assert (first.runs, verdict.checks, worker.use) == ([], (resumes.refused,), None)


def test_a_defect_outside_of_a_phase_is_in_the_first_verdict_that_is_missing(
    worker: MachineWorker, verdicts: Verdicts, resumes: Resumes, context: RunContext
) -> None:
    resumes.defect = ZeroDivisionError("a defect")
    worker.work(phases(nothing, nothing, nothing), GOOD)
    assert statuses(verdicts) == {
        Phase.CLEANUP: Status.ERROR,
        Phase.CREATION: Status.BLOCKED,
        Phase.BOOT: Status.BLOCKED,
    }
    assert "ZeroDivisionError: a defect" in str(verdicts.recorded()[0])
    assert len(events_of(context, "phase-end")) == 3
    assert context.barrier.missing([WORKER]) == {WORKER: f"cleanup of {WORKER}"}


def test_a_cancelled_run_has_no_more_verdicts(worker: MachineWorker, verdicts: Verdicts, clock: SessionClock) -> None:
    worker.work(phases(nothing, clock.cancel, nothing), GOOD)
    assert statuses(verdicts) == {Phase.CLEANUP: Status.PASS}


def test_the_cleanup_phase_itself_runs_without_a_guest(
    context: RunContext, clock: SessionClock, verdicts: Verdicts, selection: Selection
) -> None:
    machine, evidence = machine_of(context), RunEvidence()
    resumption = no_resumption(selection.plan)
    worker = MachineWorker(machine, verdicts=verdicts, resumption=resumption, evidence=evidence, clock=clock)
    worker.work([cleanup], GOOD)
    assert statuses(verdicts) == {Phase.CLEANUP: Status.PASS}
    (inputs,) = events_of(context, "machine-inputs")
    assert (inputs["machine"], inputs["carried"]) == (WORKER, [])
