"""Lines for CI systems."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest
from report_samples import case, events_of, failing, kept, replaced, verdicts

from harness.core.verdict import Phase, Status
from harness.report.ci import junit_properties, summary_markdown
from harness.results.model import Outcome, RunResult, SpanKind
from harness.results.replay import from_events

WORKER = "k3s-worker1"


def run_with(status: Status, seen: str = "no such file") -> RunResult:
    found = replaced(verdicts(), WORKER, Phase.ISO_COPY, failing(status, seen))
    return from_events(events_of(found, exit_status=1, tests=(case(Outcome.FAILED),)))


def test_properties_name_the_run_its_inputs_and_each_phase() -> None:
    found = dict(junit_properties(run_with(Status.FAIL)))
    assert found["lab.overall"] == "failed"
    assert found["lab.file.sha256"] == "ab" * 32
    assert found[f"machine.{WORKER}.seed.sha256"] == "1c" * 32
    assert found[f"phase.iso-copy.{WORKER}"] == "fail 14.5 s"
    assert found[f"phase.cluster.{WORKER}"] == "blocked"
    assert found["phase.environment.lab"] == "pass 12.5 s"
    assert all(isinstance(value, str) and value for value in found.values())


@pytest.mark.parametrize("status", list(Status))
def test_the_summary_says_the_headline_and_each_cell(status: Status) -> None:
    text = summary_markdown(run_with(status))
    row = next(line for line in text.splitlines() if line.startswith("| k3s\\-worker1"))
    words = {"fail": "FAIL", "error": "ERROR", "not-proven": "NOT PROVEN", "not-asked": "pass"}
    assert words.get(status.value, status.value) in row.split("|")[6]
    assert row.count("|") == len(Phase) + 2
    assert text.startswith(("## ✗ FAILED", "## ! ERROR"))


def test_a_failure_says_what_was_expected_seen_and_to_be_done() -> None:
    text = summary_markdown(run_with(Status.FAIL))
    assert "- expected: 41 files, each with the size" in text
    assert "- seen: no such file" in text
    assert "- what to do: read the serial log" in text


def test_every_failed_machine_and_the_next_step_are_in_the_summary() -> None:
    found = replaced(verdicts(), "k3s-worker1", Phase.ISO_COPY, failing())
    found = replaced(found, "k3s-worker2", Phase.PACKAGES, failing(seen="no packages"))
    run = dataclasses.replace(from_events(events_of(found, exit_status=1)), kept=kept().kept)
    text = summary_markdown(run)
    assert text.count("- what to do: ") == 2
    assert "packages of k3s\\-worker2" in text
    assert "- log in: `lab ssh k3s-worker1`\n- remove: `lab down`\n" in text


def test_a_summary_is_short_and_nothing_in_it_is_markup() -> None:
    text = summary_markdown(run_with(Status.FAIL, seen="| <b>x</b> `y` [z](https://example.invalid)\n# title\n" * 1000))
    assert len(text) < 6000
    assert "<b>" not in text
    assert "\n# title" not in text
    assert "](" not in text


def test_many_gaps_are_counted_not_listed() -> None:
    events = events_of([])
    found = verdicts()
    for phase in list(Phase)[2:]:
        for name in ("k3s-master1", WORKER, "k3s-worker2"):
            found = replaced(found, name, phase, failing(Status.NOT_PROVEN, f"{phase} {name}"))
    events = events_of(found)
    text = summary_markdown(from_events(events))
    assert "- and 20 more" in text


def test_what_an_earlier_run_proved_says_so() -> None:
    found = [replace(item, carried_from="run-1") if item.phase is Phase.BOOT else item for item in verdicts()]
    run = from_events(events_of(found))
    assert dict(junit_properties(run))[f"phase.boot.{WORKER}"] == "pass, proven by run run-1"
    assert "[proven by run run\\-1](../run-1/report.html#checks-boot)" in summary_markdown(run, {"run-1"})
    assert "](" not in summary_markdown(run)
    assert not [span for span in run.spans if span.name == "boot" and span.kind is SpanKind.PHASE]
