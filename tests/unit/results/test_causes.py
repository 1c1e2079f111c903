"""What stopped a run, machine by machine."""

from __future__ import annotations

import dataclasses

from report_samples import case, events_of, failing, replaced, verdicts

from harness.core.verdict import Phase, Status
from harness.results.causes import causes, first_cause
from harness.results.model import Outcome
from harness.results.replay import from_events


def test_the_first_cause_is_the_earliest_not_the_first_machine() -> None:
    found = replaced(verdicts(), "k3s-master1", Phase.GUESTS, failing())
    found = replaced(found, "k3s-worker2", Phase.PACKAGES, failing(Status.ERROR))
    run = from_events(events_of(found, exit_status=1))
    cause = first_cause(dataclasses.replace(run, verdicts=run.verdicts[::-1]))
    assert cause is not None
    assert cause.verdict is not None
    assert (cause.machine, cause.verdict.phase) == ("k3s-worker2", Phase.PACKAGES)


def test_each_failed_machine_has_its_earliest_failure_once() -> None:
    found = replaced(verdicts(), "k3s-master1", Phase.GUESTS, failing())
    found = replaced(found, "k3s-worker2", Phase.PACKAGES, failing())
    again = dataclasses.replace(found[-1], checks=(failing(),))
    run = from_events(events_of([*found[:-1], again], exit_status=1))
    assert [(cause.machine, cause.what.partition(" of ")[0]) for cause in causes(run)] == [
        ("k3s-worker2", "packages"),
        ("k3s-master1", "guests"),
    ]


def test_a_test_is_a_cause_only_where_no_phase_failed() -> None:
    bad = (case(Outcome.FAILED, "test_other", "boom"),)
    (cause,) = causes(from_events(events_of(verdicts(), exit_status=1, tests=bad)))
    assert cause.case is not None
    failed = events_of(replaced(verdicts(), None, Phase.ENVIRONMENT, failing(Status.ERROR)), exit_status=1, tests=bad)
    (cause,) = causes(from_events(failed))
    assert (cause.case, cause.machine) == (None, None)
    assert causes(from_events(events_of(verdicts()))) == ()
