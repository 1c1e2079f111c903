"""Terminal output of a run: a line per change, and the summary.

The waiting thread of pytest writes it, never a machine's thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from harness.core.verdict import Status, Verdict
from harness.lab.closing import RunEnd
from harness.lab.lab import Lab
from harness.plugin.reminder import EVERY_S, Reminder
from harness.results.journal import Journal
from harness.results.journal_events import NOTE, PHASE_END, PHASE_START, STATE
from harness.results.model import RunResult
from harness.results.next_steps import next_steps

_WIDTH = 100
_LEFT_OUT = 5


class Progress:
    """Lines for the terminal, collected from the journal and written by `flush`.

    Args:
        journal: Its events are shown.
        write: Writes a line.
        every_s: The longest time without a line of a machine at work.

    Attributes:
        reminder: Says what is waited for where the journal is silent.
    """

    def __init__(self, journal: Journal, write: Callable[[str], None], every_s: float = EVERY_S) -> None:
        self.reminder = Reminder(every_s, journal.now)
        self._now = journal.now
        self._write = write
        self._lines: list[str] = []
        self._lock = threading.Lock()
        self._phase: dict[str | None, str] = {}
        journal.listen(self._collect)

    def _collect(self, event: dict[str, Any]) -> None:
        self.reminder.take(event)
        machine, kind = event["machine"], event["kind"]
        if kind == PHASE_START:
            self._phase[machine] = event["phase"]
            return
        if kind == STATE or (kind == NOTE and event.get("progress")):
            text = event["text"]
        elif kind == PHASE_END and not event["verdict"].get("blocked_by"):
            status = str(event["verdict"]["status"])
            earlier = event["verdict"].get("carried_from")
            by = "proven by" if status == Status.PASS else "looked at by"
            text = status.upper() + (f", {by} run {earlier}" if earlier else "")
        else:
            return
        phase = event.get("phase") or self._phase.get(machine, "")
        with self._lock:
            self._lines.append(_line(event["t"], machine or "lab", phase, text))

    def flush(self) -> None:
        """Write the lines collected since the last call, and what is waited for."""
        with self._lock:
            lines, self._lines = self._lines, []
        lines += [_line(self._now(), *reminder) for reminder in self.reminder.due()]
        for line in lines:
            self._write(line)

    def summary(self, lab: Lab, end: RunEnd) -> list[str]:
        """Return the closing lines: claims, counts, open points, report, login."""
        result, verdicts = end.result, lab.verdicts.recorded()
        checks = [(verdict, check) for verdict in verdicts for check in verdict.checks]
        counts = {status: sum(check.status is status for _, check in checks) for status in Status}
        blocked = sum(verdict.status is Status.BLOCKED for verdict in verdicts)
        lines = claim_lines(result) if result is not None else []
        lines += [
            f"checks: {counts[Status.PASS]} passed{_carried(verdicts)}, {counts[Status.FAIL]} failed, "
            f"{counts[Status.ERROR]} errors, {counts[Status.NOT_PROVEN]} not proven; {blocked} phases blocked"
            + (f"; {counts[Status.NOT_ASKED]} not asked" if counts[Status.NOT_ASKED] else "")
        ]
        lines += [
            f"not proven: {verdict.title}: {check.name}: {check.seen}"
            for verdict, check in checks
            if check.status is Status.NOT_PROVEN
        ]
        lines += [f"not done: {problem}" for problem in end.problems]
        lines += [f"report: {lab.run.html}"] if result is not None else []
        kept = lab.existing_machines()
        if kept:
            lines += kept_lines(end, [machine.name for machine in kept])
            steps = next_steps(result) if result is not None else ()
            lines += map(str, steps or (f"log in: ssh -F {lab.run.ssh_config} {kept[0].name}", "remove: lab down"))
        return lines


def _line(seconds: float, machine: str, phase: str, text: str) -> str:
    first = text.splitlines()[0][:_WIDTH] if text else ""
    return f"  {seconds:7.1f} s  {machine:<12} {phase:<12} {first}"


def _carried(verdicts: Sequence[Verdict]) -> str:
    """Return how many of the passed checks earlier runs made, and which."""
    earlier = [verdict for verdict in verdicts if verdict.carried_from]
    count = sum(check.status is Status.PASS for verdict in earlier for check in verdict.checks)
    runs = sorted({verdict.carried_from for verdict in earlier})
    return f" ({count} of them proven by run {', '.join(runs)})" if count else ""


def kept_lines(end: RunEnd, names: Sequence[str]) -> list[str]:
    """Return a line per reason why machines were kept."""
    until = f" until {end.kept_until}" if end.kept_until else ""
    reasons = {name: end.kept.get(name, "") for name in names}
    return [
        f"kept{until} ({reason}): {', '.join(name for name in names if reasons[name] == reason)}"
        for reason in dict.fromkeys(reasons.values())
    ]


def claim_lines(result: RunResult) -> list[str]:
    """Return the claims as a table; below it what a partial run left out."""
    width = max(len(claim.title) for claim in result.claims)
    lines = []
    for claim in result.claims:
        required = "required" if claim.required else "not required"
        why = claim.why[0] if claim.why else ""
        lines.append(f"{claim.word:<10}  {claim.title:<{width}}  {required:<12}  {why[:_WIDTH]}")
    if result.partial:
        unasked = sum(not claim.asked for claim in result.claims)
        lines.append(
            f"PARTIAL RUN: {unasked} of {len(result.claims)} claims were not asked, and none of these is proven"
        )
        lines += [f"left out: {name}" for name in result.left_out[:_LEFT_OUT]]
    return lines
