"""The result of a run, replayed from its journal."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError, UsageError
from harness.core.secret import redact_argv
from harness.core.verdict import Phase, Status, Verdict
from harness.results import journal_events
from harness.results.guest_spans import GuestMark, guest_spans
from harness.results.journal import read_journal
from harness.results.model import CaseResult, EvidenceFile, MachineFacts, Outcome, RunResult, Span, SpanKind
from harness.results.plain_text import plain_tree
from harness.results.run_json import run_from_dict, verdict_from_dict

_MACHINE_FIELDS = {field.name for field in dataclasses.fields(MachineFacts)} - {"name", "facts"}


def from_journal(path: Path) -> RunResult:
    """Return the result of these events; anything else is not proven.

    Raises:
        UsageError: There is no journal, or it has no run.
    """
    try:
        with path.open("rb") as lines:
            written = sum(1 for line in lines if line.strip())
        events = list(read_journal(path))
    except OSError as error:
        raise UsageError(
            f"cannot read the journal: {error.strerror or error}",
            where=str(path),
            remedy="give the directory of a run, e.g. reports/latest",
        ) from error
    if not any(event.get("kind") == journal_events.RUN_START for event in events):
        raise UsageError(
            "the journal has no run in it",
            where=str(path),
            remedy="the run ended before it began; run it again",
        )
    return from_events(events, lost=written - len(events))


def from_events(events: Iterable[dict[str, Any]], *, lost: int = 0) -> RunResult:
    """Return the result of these events.

    Args:
        events: As `harness.results.journal_events` describes them, in the order of time; other kinds are passed over.
        lost: Lines of the journal that were no events.
    """
    builder = _Builder()
    for event in events:
        builder.take(event)
    return builder.result(lost)


class _Builder:
    """Takes events, one after the other."""

    def __init__(self) -> None:
        self.t = 0.0
        self.given: dict[str, Any] = {}
        self.machines: dict[str, dict[str, Any]] = {}
        self.verdicts: list[Verdict] = []
        self.open: dict[tuple[str | None, Phase], float] = {}
        self.power_ons: dict[str, list[float]] = {}
        self.marks: list[GuestMark] = []
        self.cases: dict[str, CaseResult] = {}
        self.evidence: dict[str, EvidenceFile] = {}
        self.exit_status: int | None = None
        self.ended_at = ""
        self.notes: list[str] = []
        self.unreadable = 0
        self._take: dict[str, Callable[[dict[str, Any]], None]] = {
            journal_events.RUN_START: self._run_start,
            journal_events.PHASE_START: self._phase_start,
            journal_events.PHASE_END: self._phase_end,
            journal_events.GUEST_EVENT: self._guest_event,
            journal_events.STATE: self._state,
            journal_events.TEST: self._test,
            journal_events.MACHINE_FACTS: self._machine_facts,
            journal_events.EVIDENCE: self._evidence,
            journal_events.NOTE: self._note,
            journal_events.RUN_END: self._run_end,
        }

    def take(self, event: dict[str, Any]) -> None:
        """Apply one event; count and note an unreadable one."""
        kind = str(event.get("kind"))
        if kind not in self._take:
            return
        try:
            self.t = max(self.t, _seconds(event["t"]))
            self._take[kind](plain_tree(event))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError, HarnessError) as error:
            self.unreadable += 1
            self.notes.append(f"an event {kind!r} at {self.t:.1f} s could not be read: {type(error).__name__}: {error}")

    def _run_start(self, event: dict[str, Any]) -> None:
        self.given = {"started_at": event.get("at", ""), **self._readable(event["run"])}

    def _phase_start(self, event: dict[str, Any]) -> None:
        machine = _name(event)
        phase = Phase(event["phase"])
        self.open[machine, phase] = self.t

    def _phase_end(self, event: dict[str, Any]) -> None:
        verdict = verdict_from_dict(event["verdict"])
        _seconds(verdict.started_s)
        _seconds(verdict.ended_s)
        self.verdicts.append(verdict)
        self.open.pop((verdict.machine, verdict.phase), None)

    def _guest_event(self, event: dict[str, Any]) -> None:
        fields = {str(key): str(value) for key, value in event.get("fields", {}).items()}
        machine = str(event["machine"])
        self.marks.append(GuestMark(machine, self.t, str(event["event"]), str(event.get("boot_id", "")), fields))

    def _state(self, event: dict[str, Any]) -> None:
        machine = _name(event)
        if machine is not None:
            self._machine(machine).update(last_seen=str(event["text"]), last_seen_s=self.t)
            if event["text"] == journal_events.STARTED:
                self.power_ons.setdefault(machine, []).append(self.t)

    def _test(self, event: dict[str, Any]) -> None:
        case = CaseResult(
            str(event["nodeid"]),
            Outcome(event["outcome"]),
            str(event.get("reason") or ""),
            _seconds(event.get("duration_s", 0)),
            str(event.get("carried_from") or ""),
        )
        before = self.cases.get(case.nodeid)
        if before is None or before.outcome is Outcome.PASSED or case.outcome in (Outcome.FAILED, Outcome.ERROR):
            self.cases[case.nodeid] = case

    def _machine_facts(self, event: dict[str, Any]) -> None:
        machine = self._machine(str(event["machine"]))
        for key, value in event["facts"].items():
            if key in _MACHINE_FIELDS:
                machine[key] = value
            else:
                machine.setdefault("facts", {})[key] = str(value)

    def _evidence(self, event: dict[str, Any]) -> None:
        path = str(event["path"]).replace("\\", "/")
        self.evidence[path] = EvidenceFile(path, _name(event))

    def _note(self, event: dict[str, Any]) -> None:
        machine = _name(event)
        self.notes.append(f"{machine}: {event['text']}" if machine else str(event["text"]))

    def _run_end(self, event: dict[str, Any]) -> None:
        self.exit_status = int(event["exit_status"])
        self.ended_at = str(event.get("at", ""))
        self.given |= self._readable(event.get("run", {}))

    def _machine(self, name: str) -> dict[str, Any]:
        return self.machines.setdefault(name, {"name": name})

    def _readable(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the fields that `RunResult` accepts; each machine is read by itself."""
        kept = {}
        for key, value in given.items():
            if key == "machines":
                for machine in value:
                    known = {name: machine[name] for name in (*_MACHINE_FIELDS, "facts") if machine.get(name)}
                    self._machine(str(machine["name"])).update(known)
            elif key == "notes":
                self.notes += [str(note) for note in value]
            elif key not in journal_events.DERIVED and self._fits({key: value}):
                kept[key] = value
        return kept

    def _fits(self, fields: dict[str, Any]) -> bool:
        try:
            run_from_dict(fields)
        except UsageError as error:
            self.unreadable += 1
            self.notes.append(f"a field of the run could not be read: {error.detail}")
            return False
        return True

    def result(self, lost: int) -> RunResult:
        """Return what all events together say."""
        machines = [item for item in self.machines.values() if self._fits({"machines": [item]})]
        machines += [{"name": name} for name, item in self.machines.items() if item not in machines]
        run = run_from_dict({**self.given, "machines": machines})
        return dataclasses.replace(
            run,
            argv=redact_argv(run.argv),
            ended_at=run.ended_at or self.ended_at,
            duration_s=self.t,
            exit_status=self.exit_status,
            verdicts=tuple(self.verdicts),
            spans=(*self._phase_spans(), *guest_spans(self.marks, self.power_ons)),
            tests=tuple(self.cases.values()),
            evidence=tuple(self.evidence.values()),
            notes=tuple(dict.fromkeys(self.notes)),
            unreadable_events=self.unreadable + lost,
        )

    def _phase_spans(self) -> list[Span]:
        spans = [_phase_span(one) for one in self.verdicts if not (one.blocked_by or one.carried_from)]
        spans += [
            Span(machine, phase.value, SpanKind.PHASE, started, self.t, finished=False)
            for (machine, phase), started in self.open.items()
        ]
        return sorted(spans, key=lambda span: span.started_s)


def _phase_span(verdict: Verdict) -> Span:
    bad = [check for check in verdict.checks if check.status is not Status.PASS]
    detail = "; ".join(f"{check.name}: {check.status.value}" for check in bad[:3])
    ended = max(verdict.started_s, verdict.ended_s)
    return Span(
        verdict.machine, verdict.phase.value, SpanKind.PHASE, verdict.started_s, ended, verdict.status, detail=detail
    )


def _name(event: dict[str, Any]) -> str | None:
    machine = event.get("machine")
    return None if machine is None else str(machine)


def _seconds(value: object) -> float:
    """Return a number of seconds that can be drawn.

    Raises:
        ValueError: It is not a number, or not one from 0 to ten years.
    """
    seconds = float(str(value))
    if not math.isfinite(seconds) or not 0 <= seconds <= 10 * 366 * 86400:
        raise ValueError(f"{value!r} is no number of seconds")
    return seconds
