"""Say what a machine waits for when it has been quiet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.results.journal_events import NOTE, PHASE_END, PHASE_START, STATE, WAIT

EVERY_S = 60.0
# A log of a CI job is watched by programs that take a quiet job for a dead one.
EVERY_WITHOUT_TERMINAL_S = 30.0


@dataclass
class _Machine:
    """What the journal says of one machine.

    Attributes:
        phase: Empty between two phases.
        since: When the wait, else the phase began.
        line_at: When its last line was written.
        console: The last line of its console at the last reminder.
    """

    phase: str = ""
    phase_since: float = 0.0
    wait: str = ""
    since: float = 0.0
    limit_s: float = 0.0
    seen: str = ""
    line_at: float = 0.0
    console: str = ""


class Reminder:
    """Remembers the wait of each machine.

    Args:
        every_s: The longest time without a line of a machine at work.
        now: Seconds since the start of the run.

    Attributes:
        last_line: Returns the last line of a machine's console.
    """

    def __init__(self, every_s: float, now: Callable[[], float]) -> None:
        self.last_line: Callable[[str], str] = lambda _: ""
        self._every_s = every_s
        self._now = now
        self._machines: dict[str, _Machine] = {}
        self._lock = threading.Lock()

    def take(self, event: dict[str, Any]) -> None:
        """Take an event of the journal into account."""
        name, kind, at = event["machine"] or "lab", event["kind"], event["t"]
        with self._lock:
            machine = self._machines.setdefault(name, _Machine())
            if kind == PHASE_START:
                machine.phase, machine.phase_since, machine.wait, machine.line_at = event["phase"], at, "", at
            elif kind == PHASE_END:
                machine.phase = ""
            elif kind == WAIT:
                machine.wait, machine.since, machine.limit_s = event["text"], at, event["limit_s"]
            elif kind == STATE or (kind == NOTE and event.get("progress")):
                machine.seen, machine.line_at = event["text"], at

    def due(self) -> list[tuple[str, str, str]]:
        """Return machine, phase and text of each line that is due."""
        now = self._now()
        with self._lock:
            late = [
                (name, machine)
                for name, machine in self._machines.items()
                if machine.phase and now - machine.line_at >= self._every_s
            ]
            for _, machine in late:
                machine.line_at = now
            return [(name, machine.phase, self._text(name, machine, now)) for name, machine in late]

    def _text(self, name: str, machine: _Machine, now: float) -> str:
        if machine.wait:
            text = f"waiting for {machine.wait} ({_minutes(now - machine.since)} of {_minutes(machine.limit_s)} min)"
        else:
            text = f"at work ({_minutes(now - machine.phase_since)} min)"
        seen, line = machine.seen, self.last_line(name)
        if line and line != machine.console and "@LAB1 " not in line:
            machine.console = seen = line
        return f"{text}; last seen: {seen}" if seen else text


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f}".removesuffix(".0")
