"""The verdict and headline of a run: never green for what was not seen."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from report_samples import MACHINES, case, events_of, failing, passing, replaced, static, verdicts

from harness.core.claims import Claim
from harness.core.verdict import Check, Phase, Status, Verdict
from harness.results.causes import first_cause
from harness.results.claim_rules import LAB_WIDE, place
from harness.results.conclusion import (
    Overall,
    gaps,
    headline,
    not_required,
    not_run,
    overall,
)
from harness.results.counts import planned, tally
from harness.results.journal_events import PHASE_START, phase_start
from harness.results.model import Outcome, RunResult
from harness.results.replay import from_events

WORKER = "k3s-worker1"
CAUSE = "every payload file is as in the manifest: no such file"


def run_with(status: Status, *, exit_status: int | None = 0) -> RunResult:
    return from_events(
        events_of(replaced(verdicts(), WORKER, Phase.ISO_COPY, failing(status)), exit_status=exit_status)
    )


def test_everything_seen_and_as_promised_is_passed() -> None:
    run = from_events(events_of(verdicts(), tests=(case(),)))
    assert overall(run) is Overall.PASSED
    assert headline(run) == "PASSED"
    assert first_cause(run) is None


def test_an_empty_run_is_not_proven() -> None:
    run = from_events(events_of([]))
    assert overall(run) is Overall.NOT_PROVEN
    assert headline(run).startswith("NOT PROVEN")


def test_a_run_without_any_test_is_not_proven() -> None:
    assert overall(from_events(events_of(verdicts(), exit_status=5))) is Overall.NOT_PROVEN


def test_something_not_proven_is_counted_in_the_headline() -> None:
    run = run_with(Status.NOT_PROVEN)
    assert overall(run) is Overall.PASSED_WITH_GAPS
    assert headline(run) == "PASSED, 1 thing not proven"
    assert [(gap.machine, gap.phase, gap.why) for gap in gaps(run)] == [(WORKER, Phase.ISO_COPY, "no such file")]


@pytest.mark.parametrize(("status", "word"), [(Status.FAIL, Overall.FAILED), (Status.ERROR, Overall.ERROR)])
def test_a_bad_verdict_decides_whatever_pytest_says(status: Status, word: Overall) -> None:
    run = run_with(status, exit_status=0)
    assert overall(run) is word
    assert headline(run) == f"{word.value.upper()}: iso-copy of {WORKER}: {CAUSE}"


def test_a_blocked_phase_is_a_gap_even_where_nothing_failed() -> None:
    found = [*verdicts(last=Phase.GUESTS), *(Verdict(Phase.CLUSTER, name, (), 0, 0, "guests") for name in ("a", "b"))]
    run = from_events(events_of(found))
    assert overall(run) is Overall.PASSED_WITH_GAPS
    assert {gap.status for gap in gaps(run)} == {Status.BLOCKED}


def test_a_phase_that_checked_nothing_is_a_gap() -> None:
    found = [*verdicts(last=Phase.GUESTS), Verdict(Phase.CLUSTER, None, (), 180.0, 181.0)]
    assert headline(from_events(events_of(found))) == "PASSED, 1 thing not proven"


def test_a_phase_that_did_not_run_is_named_in_the_headline() -> None:
    run = from_events(events_of(verdicts(last=Phase.GUESTS)))
    assert headline(run) == "PASSED, 3 phases not run"
    assert set(not_run(run)) == {(name, Phase.CLUSTER) for name in ("k3s-master1", WORKER, "k3s-worker2")}


def test_a_phase_that_left_out_one_machine_did_not_run_on_it() -> None:
    run = from_events(events_of([item for item in verdicts() if (item.machine, item.phase) != (WORKER, Phase.GUESTS)]))
    assert not_run(run) == ((WORKER, Phase.GUESTS),)


def test_a_verdict_of_the_lab_does_not_stand_for_the_machines_where_one_has_its_own() -> None:
    alone = Verdict(Phase.CLEANUP, WORKER, (passing(),), 20.0, 21.0)
    run = from_events(events_of([*verdicts(), alone]))
    assert set(not_run(run)) == {("k3s-master1", Phase.CLEANUP), ("k3s-worker2", Phase.CLEANUP)}


def test_a_run_in_which_nothing_could_be_looked_at_is_not_proven() -> None:
    unseen = Verdict(Phase.BOOT, WORKER, (failing(Status.NOT_PROVEN),), 0.0, 1.0)
    assert overall(from_events(events_of([unseen]))) is Overall.NOT_PROVEN


def test_a_skipped_test_is_not_green() -> None:
    run = from_events(events_of(verdicts(), tests=(case(), case(Outcome.SKIPPED, "test_k3s", "no k3s"))))
    assert headline(run) == "PASSED, 1 test skipped"


@pytest.mark.parametrize(
    ("outcome", "word"),
    [(Outcome.FAILED, Overall.FAILED), (Outcome.ERROR, Overall.ERROR), (Outcome.XPASSED, Overall.FAILED)],
)
@pytest.mark.parametrize("exit_status", [0, 1])
def test_a_failed_test_fails_the_run_though_every_verdict_passed(
    outcome: Outcome, word: Overall, exit_status: int
) -> None:
    run = from_events(
        events_of(verdicts(), exit_status=exit_status, tests=(case(), case(outcome, "test_other", "boom")))
    )
    assert overall(run) is word
    cause = first_cause(run)
    assert cause is not None
    assert cause.case is not None
    assert cause.case.reason == "boom"


@pytest.mark.parametrize(
    ("exit_status", "word"),
    [(None, Overall.INCOMPLETE), (1, Overall.FAILED), (2, Overall.INCOMPLETE), (3, Overall.ERROR), (4, Overall.ERROR)],
)
def test_a_bad_exit_status_is_never_green(exit_status: int | None, word: Overall) -> None:
    run = from_events(events_of(verdicts(), exit_status=exit_status))
    assert overall(run) is word
    assert "PASSED" not in headline(run)


def test_a_failure_before_a_crash_stays_in_the_headline() -> None:
    text = headline(run_with(Status.FAIL, exit_status=None))
    assert text.startswith("INCOMPLETE: the run ended without recording its end; before that: iso-copy of k3s-worker1")


def test_a_phase_without_verdict_is_incomplete_though_pytest_ended() -> None:
    events = events_of(verdicts())
    events = [item for item in events if item["kind"] != "phase-end" or item["phase"] != "cluster"]
    run = from_events(events)
    assert overall(run) is Overall.INCOMPLETE
    assert "while cluster of" in headline(run)


def hung(limits: dict[str, float]) -> RunResult:
    """Return a killed run: cloud-init of the worker is open for 140 s, packages of another machine for 20 s."""
    found = [item for item in verdicts(last=Phase.PACKAGES) if item.machine != "k3s-master1"]
    open_phases = [(WORKER, Phase.CLOUD_INIT), (WORKER, Phase.PACKAGES), ("k3s-worker2", Phase.PACKAGES)]
    found = [item for item in found if (item.machine, item.phase) not in open_phases]
    events = events_of(found, exit_status=None, run=dataclasses.replace(static(), limits_s=limits))
    for name, phase, t in ((WORKER, Phase.CLOUD_INIT, 120.0), ("k3s-worker2", Phase.PACKAGES, 240.0)):
        events.append({"t": t, "kind": PHASE_START, "machine": name, **phase_start(phase)})
    events.append({"t": 260.0, "kind": "note", "machine": None, "text": "the last sign of life"})
    return from_events(sorted(events, key=lambda item: float(item["t"])))


@pytest.mark.parametrize(
    ("limits", "stuck"),
    [
        ({"cloud-init": 200, "packages": 100}, f"cloud-init of {WORKER} was under way for 140 of 200 s"),
        ({"cloud-init": 2000, "packages": 25}, "packages of k3s-worker2 was under way for 20 of 25 s"),
        ({"packages": 25}, f"cloud-init of {WORKER} was under way for 140 s"),
        ({}, f"cloud-init of {WORKER} was under way for 140 s"),
    ],
)
def test_a_killed_run_names_the_phase_that_is_stuck(limits: dict[str, float], stuck: str) -> None:
    assert headline(hung(limits)) == (
        "INCOMPLETE: the run ended without recording its end while "
        f"{stuck} (2 phases were open); continue with `--resume`"
    )


def requiring(*names: Claim, found: list[Verdict], **fields: Any) -> RunResult:
    required = tuple(claim.value for claim in names)
    return from_events(events_of(found, run=dataclasses.replace(static(), required=required, **fields)))


def declared_verdicts(*unproven: Phase) -> list[Verdict]:
    """Return a passing verdict with every declared check, not proven in the named phases."""
    found = []
    for phase in Phase:
        names = [check.name for check in static().declared if check.phase is phase]
        status = Status.NOT_PROVEN if phase in unproven else Status.PASS
        checks = tuple(Check(name, status, "x", "no k3s" if phase in unproven else "x") for name in names)
        found += [Verdict(phase, name, checks, 0.0, 1.0) for name in ((None,) if phase in LAB_WIDE else MACHINES)]
    return found


def test_required_claims_that_are_proven_are_green_whatever_else_is_not() -> None:
    required = [claim for claim in Claim if claim is not Claim.CLUSTER]
    run = requiring(*required, found=declared_verdicts(Phase.CLUSTER))
    assert (overall(run), headline(run)) == (Overall.PASSED, "PASSED: 8 of 8 required claims proven")
    assert not_required(run) == ("not required: cluster healthy: cluster: k3s runs: not-proven: no k3s",)
    assert overall(requiring(*Claim, found=declared_verdicts(Phase.CLUSTER))) is Overall.NOT_PROVEN
    assert overall(dataclasses.replace(run, unreadable_events=1)) is Overall.PASSED_WITH_GAPS
    assert overall(dataclasses.replace(run, exit_status=1)) is Overall.FAILED


def test_a_lab_without_k3s_is_green_and_has_no_open_point() -> None:
    required = [claim for claim in Claim if claim is not Claim.CLUSTER]
    skip = case(Outcome.SKIPPED, "test_cluster", "not asked: no k3s in the payload")
    found = [
        dataclasses.replace(
            item, checks=tuple(dataclasses.replace(one, status=Status.NOT_ASKED) for one in item.checks)
        )
        if item.phase is Phase.CLUSTER
        else item
        for item in declared_verdicts()
    ]
    run = dataclasses.replace(requiring(*required, found=found), tests=(case(), skip))
    assert (overall(run), headline(run)) == (Overall.PASSED, "PASSED: 8 of 8 required claims proven")
    assert (not_required(run), gaps(run), run.partial) == ((), (), False)
    assert planned(run) == tally(run)[Status.PASS]
    unrequired = dataclasses.replace(run, required=())
    assert (overall(unrequired), headline(unrequired)) == (Overall.PASSED, "PASSED")


def test_a_partial_run_without_a_failure_says_that_all_is_good_and_what_it_looked_at() -> None:
    last = (WORKER, Phase.BOOT)
    found = [item for item in declared_verdicts() if item.machine in (None, WORKER) and item.phase is not Phase.CLUSTER]
    found = [
        dataclasses.replace(item, checks=(failing(Status.NOT_PROVEN), *item.checks[1:]))
        if (item.machine, item.phase) == last
        else item
        for item in found
    ]
    asked = tuple(place(item.phase, item.machine) for item in found)
    run = requiring(*Claim, found=found, asked=asked, left_out=("test_90_cluster.py",))
    total = planned(run)
    assert headline(run) == (
        f"PARTIAL, all good: {WORKER}, {len(found)} phases, {total - 2} of {total} checks; "
        "not looked at: k3s-master1, k3s-worker2"
    )


def test_an_error_of_a_test_is_headed_by_its_exception() -> None:
    text = "host = None\n\n>   x()\nE   KeyError: 'x'\n\nscenarios/test_80_guests.py:3: KeyError"
    run = from_events(events_of(verdicts(), exit_status=1, tests=(case(Outcome.ERROR, "test_other", text),)))
    assert headline(run).endswith(" error: KeyError: 'x'")


def test_unreadable_events_are_not_green() -> None:
    run = dataclasses.replace(from_events(events_of(verdicts())), unreadable_events=2)
    assert headline(run) == "PASSED, 2 journal lines unreadable"


def test_of_two_verdicts_of_a_phase_the_worse_is_shown() -> None:
    bad = Verdict(Phase.BOOT, WORKER, (failing(),), 60.0, 70.0)
    good = Verdict(Phase.BOOT, WORKER, (passing(),), 71.0, 80.0)
    run = dataclasses.replace(static(), verdicts=(bad, good), exit_status=0)
    assert run.verdict_of(WORKER, Phase.BOOT) is bad
    assert overall(run) is Overall.FAILED


def test_every_failed_machine_is_in_the_headline() -> None:
    found = replaced(verdicts(), "k3s-master1", Phase.GUESTS, failing())
    found = replaced(found, "k3s-worker2", Phase.PACKAGES, failing(Status.ERROR))
    text = headline(from_events(events_of(found, exit_status=1)))
    assert text.startswith("ERROR: packages of k3s-worker2: ")
    assert text.endswith("; also failed: k3s-master1 (guests)")
