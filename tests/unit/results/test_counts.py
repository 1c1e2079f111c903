"""Counts of checks: what was planned, and what was answered."""

from __future__ import annotations

from report_samples import MACHINES, events_of, passing, static

from harness.core.verdict import Check, Phase, Status, Verdict
from harness.results.claim_rules import LAB_WIDE
from harness.results.counts import planned, tally
from harness.results.model import RunResult
from harness.results.replay import from_events


def every_check(*, without: str = "", cluster: Status = Status.PASS) -> RunResult:
    """Return a run with every declared check; without those of one machine."""
    found = []
    for phase in Phase:
        status = cluster if phase is Phase.CLUSTER else Status.PASS
        checks = tuple(Check(one.name, status, "x", "x") for one in static().declared if one.phase is phase)
        names = (None,) if phase in LAB_WIDE else MACHINES
        found += [Verdict(phase, name, checks, 0.0, 1.0) for name in names if name != without]
    return from_events(events_of(found))


def test_a_check_that_was_planned_and_never_made_counts() -> None:
    whole, cut = every_check(), every_check(without=MACHINES[-1])
    assert planned(whole) == planned(cut) == tally(whole)[Status.PASS] > tally(cut)[Status.PASS]


def test_a_check_that_does_not_apply_to_the_lab_does_not_count() -> None:
    run = every_check(cluster=Status.NOT_ASKED)
    assert planned(run) == tally(run)[Status.PASS] == planned(every_check()) - tally(run)[Status.NOT_ASKED]


def test_a_check_that_no_phase_declares_counts_where_it_was_answered() -> None:
    run = from_events(events_of([Verdict(Phase.BOOT, MACHINES[0], (passing("beside"),), 0.0, 1.0)]))
    assert planned(run) == planned(from_events(events_of([]))) + 1
