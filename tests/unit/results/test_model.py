"""The result as values: which machines it has, and which verdict counts."""

from __future__ import annotations

from harness.core.verdict import Check, Phase, Status, Verdict
from harness.results.model import MachineFacts, RunResult, Span, SpanKind


def verdict(status: Status, machine: str | None = "k3s-worker1", phase: Phase = Phase.BOOT) -> Verdict:
    return Verdict(phase, machine, (Check("ssh login", status, "a login", "seen"),), 0.0, 1.0)


def test_machines_are_named_once_and_planned_ones_first() -> None:
    run = RunResult(
        machines=(MachineFacts("k3s-master1"),),
        verdicts=(verdict(Status.PASS), verdict(Status.PASS, None), verdict(Status.PASS, "k3s-master1")),
        spans=(Span("k3s-worker2", "boot", SpanKind.PHASE, 0.0, 1.0),),
    )
    assert run.machine_names == ("k3s-master1", "k3s-worker1", "k3s-worker2")


def test_the_most_severe_verdict_of_a_phase_counts() -> None:
    run = RunResult(verdicts=(verdict(Status.PASS), verdict(Status.FAIL), verdict(Status.NOT_PROVEN)))
    found = run.verdict_of("k3s-worker1", Phase.BOOT)
    assert found is not None
    assert found.status is Status.FAIL
    assert run.verdict_of("k3s-worker1", Phase.PACKAGES) is None


def test_a_phase_is_unfinished_only_without_a_verdict() -> None:
    span = Span("k3s-worker1", Phase.BOOT.value, SpanKind.PHASE, 3.0, 9.0, finished=False)
    assert RunResult(spans=(span,)).unfinished("k3s-worker1", Phase.BOOT) is span
    assert RunResult(spans=(span,)).unfinished("k3s-worker2", Phase.BOOT) is None
    assert RunResult(spans=(span,), verdicts=(verdict(Status.PASS),)).unfinished("k3s-worker1", Phase.BOOT) is None


def test_a_run_with_tests_left_out_is_partial() -> None:
    assert RunResult(left_out=("scenarios/test_90_cluster.py",)).partial
