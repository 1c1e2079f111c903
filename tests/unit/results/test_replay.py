"""The result made from a journal, whole or cut short."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from report_samples import MACHINES, Event, boot_events, case, events_of, kept, static, verdicts, write_journal

from harness.core.errors import UsageError
from harness.core.verdict import Phase, Status, Verdict
from harness.results import journal_events
from harness.results.conclusion import Overall, overall
from harness.results.journal import Journal
from harness.results.model import Outcome, SpanKind
from harness.results.replay import from_events, from_journal


def event(kind: str, machine: str | None = None, t: float = 100.0, **fields: object) -> Event:
    return {"t": t, "at": "2026-01-12T09:31:40+00:00", "kind": kind, "machine": machine, **fields}


def nested(depth: int) -> object:
    value: object = "deep"
    for _ in range(depth):
        value = [value]
    return value


def test_what_the_journal_wrote_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl", monotonic=iter(range(100)).__next__)
    journal.write(journal_events.RUN_START, run=journal_events.run_start(static())["run"])
    verdict = verdicts()[0]
    journal.write(journal_events.PHASE_START, verdict.machine, **journal_events.phase_start(verdict.phase))
    journal.write(journal_events.PHASE_END, verdict.machine, **journal_events.phase_end(verdict))
    journal.write(journal_events.TEST, **journal_events.case_end(case()))
    journal.write(journal_events.RUN_END, **journal_events.run_end(0, kept()))
    journal.close()
    run = from_journal(tmp_path / "events.jsonl")
    assert run.unreadable_events == 0
    assert run.verdicts == (verdict,)
    assert run.tests == (case(),)
    assert run.machines == static().machines
    assert run.hypervisor == static().hypervisor
    assert run.kept == kept().kept
    assert run.notes == kept().notes
    assert (run.exit_status, run.duration_s) == (0, 5.0)


def test_a_killed_run_is_incomplete_and_shows_what_was_under_way(tmp_path: Path) -> None:
    events = [item for item in events_of(verdicts(), exit_status=None) if item["t"] < 116]
    path = write_journal(tmp_path / "events.jsonl", events)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"t": 119.0, "kind": "phase-e')
    run = from_journal(path)
    assert overall(run) is Overall.INCOMPLETE
    assert run.exit_status is None
    assert run.ended_at == ""
    open_spans = [span for span in run.spans if not span.finished]
    assert [(span.machine, span.name, span.started_s) for span in open_spans] == [("k3s-worker2", "cloud-init", 100.0)]
    assert run.unfinished("k3s-worker2", Phase.CLOUD_INIT) is not None
    assert run.unreadable_events == 1


@pytest.mark.parametrize("text", ["", "\n\n", "garbage\n", "[" * 200_000, '{"kind": "state"}\n'])
def test_a_journal_without_a_run_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match="no run in it"):
        from_journal(path)


def test_no_journal_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        from_journal(tmp_path / "events.jsonl")
    assert "reports/latest" in caught.value.remedy


@pytest.mark.parametrize(
    "damaged",
    [
        event("phase-end", "k3s-worker1", phase="boot", verdict={"status": "pass"}),
        event("phase-end", "k3s-worker1"),
        event("phase-start", "k3s-worker1", phase="no-such-phase"),
        event("test", nodeid="x", outcome="glorious"),
        event("test", nodeid="x", outcome="passed", duration_s="NaN"),
        event("machine-facts", "k3s-worker1", facts=["boot"]),
        event("guest-event", "k3s-worker1", event="boot", fields="x"),
        event("state", "k3s-worker1", t=float("nan"), text="x"),
        event("run-start", run=None),
        event("evidence", "k3s-worker1"),
        event("note", text=nested(3000)),
    ],
)
def test_a_damaged_event_is_counted_and_never_green(damaged: Event) -> None:
    events = events_of(verdicts(), tests=(case(),))
    run = from_events([*events[:-1], damaged, events[-1]])
    assert run.unreadable_events == 1
    assert damaged["kind"] in run.notes[0]
    assert overall(run) is Overall.PASSED_WITH_GAPS


def test_a_field_of_another_type_costs_that_field_only() -> None:
    events = events_of(verdicts())
    events[0]["run"]["host"] = {"cpus": "many"}
    events[0]["run"]["bogus"] = 1
    run = from_events(events)
    assert run.lab == "airgap-lab"
    assert run.host.cpus == 0
    assert run.unreadable_events == 2


def test_a_machine_fact_of_another_type_keeps_the_machine() -> None:
    broken = event("machine-facts", "k3s-worker1", facts={"ssh_logins": "two"})
    run = from_events([*events_of(verdicts())[:-1], broken])
    assert {machine.name for machine in run.machines} == set(MACHINES)
    assert run.unreadable_events == 1


def test_what_another_version_wrote_of_a_machine_is_passed_over() -> None:
    events = events_of(verdicts())
    events[0]["run"]["machines"][0]["ssh_command"] = "ssh k3s-master1"
    run = from_events(events)
    assert [machine.seed for machine in run.machines] == [machine.seed for machine in static().machines]
    assert run.unreadable_events == 0


def test_facts_add_up_and_the_end_does_not_reset_them() -> None:
    events = events_of(verdicts(), exit_status=None)
    state = event("state", "k3s-worker1", t=151.5, text="ssh-ready")
    run = from_events([*events, state, event("run-end", t=210.0, **journal_events.run_end(0, static()))])
    machine = next(item for item in run.machines if item.name == "k3s-worker1")
    assert machine.ssh_logins == 2
    assert machine.boot_ids == ("b" * 36, "c" * 36)
    assert machine.seed == "seed-worker1.iso"
    assert machine.facts == {"machine_id": "0123"}
    assert machine.last_seen == "ssh-ready"


def test_passwords_of_the_command_line_are_masked() -> None:
    events = events_of([])
    events[0]["run"]["argv"] = ["vmrun", "-gu", "ubuntu", "-gp", "hunter2", "list"]
    assert from_events(events).argv == ("vmrun", "-gu", "ubuntu", "-gp", "***", "list")


def test_a_teardown_error_is_not_hidden_by_the_pass_before_it() -> None:
    cases = (case(Outcome.PASSED), case(Outcome.ERROR, reason="teardown"))
    assert from_events(events_of(verdicts(), tests=cases)).tests == (cases[1],)
    assert from_events(events_of(verdicts(), tests=cases[::-1])).tests == (cases[1],)


def test_other_kinds_of_events_are_passed_over() -> None:
    run = from_events([*events_of(verdicts()), event("heartbeat", payload={"x": 1}, t=211.0)])
    assert run.unreadable_events == 0


def test_guest_events_become_the_time_that_led_to_them() -> None:
    events = [event("run-start", t=0.0, run={}), event("state", "m", t=60.0, text="switched on")]
    events += boot_events("m", 62.0)
    events.append(event("state", "m", t=150.0, text="switched on"))
    events.append(event("guest-event", "m", t=158.0, event="boot", boot_id="c", fields={}))
    spans = [span for span in from_events(events).spans if span.kind is SpanKind.GUEST]
    times = [(span.name, span.started_s, span.ended_s) for span in spans]
    assert times[0] == ("installer-start", 60.0, 62.0)
    assert times[3] == ("boot", 78.0, 86.0)  # a reboot: since the installer's last word
    assert times[4] == ("cloud-init init-local", 86.0, 94.0)
    assert times[-1] == ("boot", 150.0, 158.0)  # since it was switched on, not since the boot before
    assert "bytes=1073741824" in spans[1].detail
    assert all(span.status is None for span in spans)


def test_a_guest_that_boots_for_ever_does_not_fill_the_page() -> None:
    flood = [event("guest-event", "m", t=1.0 + index, event="boot", boot_id=str(index)) for index in range(2000)]
    run = from_events([event("run-start", t=0.0, run={}), *flood])
    assert len(run.spans) == 300


def test_control_characters_and_lone_surrogates_are_made_harmless() -> None:
    hostile = event("state", "m", text="\x1b[31mred\x1b[0m \ud800 \u202e\x00")
    run = from_events([event("run-start", t=0.0, run={}), hostile])
    assert run.machines[0].last_seen == "red \ufffd \ufffd\ufffd"
    json.dumps(run.machines[0].last_seen).encode("utf-8")


def test_notes_are_kept_once_with_their_machine() -> None:
    notes = [event("note", "m", text="no picture"), event("note", "m", text="no picture"), event("note", text="busy")]
    run = from_events([event("run-start", t=0.0, run={}), *notes])
    assert run.notes == ("m: no picture", "busy")


def test_every_status_is_a_bar_but_a_blocked_phase() -> None:
    found = verdicts(last=Phase.BOOT)
    blocked = Verdict(Phase.ISO_COPY, "k3s-worker1", (), 80.0, 81.0, blocked_by="boot of k3s-worker1")
    run = from_events(events_of([*found, blocked]))
    phases = [span for span in run.spans if span.kind is SpanKind.PHASE]
    assert len(phases) == len(found)
    assert {span.status for span in phases} == {Status.PASS}
