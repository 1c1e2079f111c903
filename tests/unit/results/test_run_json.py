"""`run.json`: what is written is read back, and nothing else is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from report_samples import case, events_of, failing, kept, replaced, static, verdicts

from harness.core.errors import UsageError
from harness.core.verdict import Phase, Status, Verdict
from harness.results import journal_events
from harness.results.model import Outcome, RunResult
from harness.results.replay import from_events
from harness.results.run_json import from_json, to_json, verdict_from_dict, verdict_to_dict

Change = Callable[[dict[str, Any]], object]


def failed_run() -> RunResult:
    found = replaced(verdicts(), "k3s-worker1", Phase.ISO_COPY, failing())
    events = events_of(found, exit_status=None, tests=(case(Outcome.FAILED, reason="한국어 \u2028 \"quoted\"\n'it'"),))
    end = {"t": 210.0, "at": "2026-01-12T09:33:30+00:00", "kind": "run-end", **journal_events.run_end(1, kept())}
    return from_events([*events, end])


@pytest.mark.parametrize("status", list(Status))
def test_each_status_survives_the_round_trip(status: Status) -> None:
    run = from_events(events_of(replaced(verdicts(), "k3s-worker1", Phase.ISO_COPY, failing(status))))
    assert from_json(to_json(run)) == run


def test_every_field_survives_the_round_trip() -> None:
    run = dataclasses.replace(failed_run(), required=("air-gapped",), left_out=("test_80_guests.py",))
    run = dataclasses.replace(run, limits_s={"boot": 900.0})
    default = RunResult()
    same = {item.name for item in dataclasses.fields(run) if getattr(run, item.name) == getattr(default, item.name)}
    assert same == {"unreadable_events"}
    assert from_json(to_json(run)) == run


def test_the_conclusions_stand_in_the_file() -> None:
    data = json.loads(to_json(failed_run()))
    assert data["schema_version"] == 2
    assert data["overall"] == "failed"
    assert data["headline"].startswith("FAILED: iso-copy of k3s-worker1")
    assert {item["status"] for item in data["verdicts"]} == {"pass", "fail", "blocked"}


def _drop_machines(data: dict[str, Any]) -> None:
    del data["machines"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(bogus=1), "bogus"),
        (lambda data: data.update(schema_version=1), "schema version 2"),
        (lambda data: data.update(overall="passed"), "overall"),
        (lambda data: data.update(exit_status="0"), "exit_status"),
        (lambda data: data["host"].update(cpus="two"), "host.cpus"),
        (lambda data: data["verdicts"][0].update(status="fail"), "the verdict says"),
        (lambda data: data["verdicts"][-1]["checks"][0].update(extra=1), "checks.0.extra"),
        (lambda data: data.update(verdicts={}), "list of objects"),
        (_drop_machines, "machines"),
    ],
)
def test_a_changed_file_is_refused(change: Change, message: str) -> None:
    data = json.loads(to_json(failed_run()))
    change(data)
    with pytest.raises(UsageError) as caught:
        from_json(json.dumps(data))
    assert message in str(caught.value)
    assert "lab report" in caught.value.remedy


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_what_is_no_result_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        from_json(text)


def test_secrets_do_not_reach_the_file() -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----"
    run = dataclasses.replace(
        static(), notes=(key, "vmrun -gu ubuntu -gp hunter2 list"), tests=(case(Outcome.FAILED, reason=key),)
    )
    text = to_json(run)
    assert "c2VjcmV0" not in text
    assert "hunter2" not in text
    from_json(text)


def test_a_verdict_is_read_back_as_it_was() -> None:
    verdict = Verdict(Phase.BOOT, None, (failing(Status.ERROR),), 1.5, 2.0)
    assert verdict_from_dict(json.loads(json.dumps(verdict_to_dict(verdict)))) == verdict


def test_a_verdict_in_infinite_time_is_refused() -> None:
    data = verdict_to_dict(Verdict(Phase.BOOT, None, (), 0.0, float("inf")))
    with pytest.raises(UsageError):
        verdict_from_dict(data)
