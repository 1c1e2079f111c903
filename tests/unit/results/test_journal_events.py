"""The fields of each journal event."""

from __future__ import annotations

import json

from report_samples import case, passing, static

from harness.core.verdict import Phase, Verdict
from harness.results import journal_events
from harness.results.model import Outcome, RunResult
from harness.results.run_json import verdict_from_dict


def test_the_start_has_every_input_and_nothing_that_later_events_set() -> None:
    fields = journal_events.run_start(static())["run"]
    assert fields["lab"] == "airgap-lab"
    assert [machine["name"] for machine in fields["machines"]] == ["k3s-master1", "k3s-worker1", "k3s-worker2"]
    assert not set(journal_events.DERIVED) & set(fields)
    assert {"verdicts", "spans", "tests"} <= set(journal_events.DERIVED)


def test_the_end_has_the_exit_status_and_no_default_that_would_replace_the_start() -> None:
    fields = journal_events.run_end(1, RunResult(ended_at="2026-01-12T09:40:00+00:00"))
    assert fields["exit_status"] == 1
    assert fields["run"] == {"ended_at": "2026-01-12T09:40:00+00:00"}


def test_a_phase_and_a_test_end_with_values_that_json_has() -> None:
    verdict = Verdict(Phase.BOOT, "k3s-worker1", (passing(),), 1.0, 2.0)
    assert verdict_from_dict(json.loads(json.dumps(journal_events.phase_end(verdict)))["verdict"]) == verdict
    failed = journal_events.case_end(case(Outcome.FAILED, reason="no"))
    assert json.loads(json.dumps(failed)) == failed
