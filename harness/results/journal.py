"""The journal of a run: JSON Lines, readable after a crash."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.core.json_text import parse_json
from harness.core.secret import redact, redact_tree


class Journal:
    """Appends events to one file; safe to use from several threads.

    Each line has `t` (seconds since the start of the run, from the monotonic clock), `at` (UTC, ISO 8601), `kind`,
    `machine` (or null), and the event's own fields.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._monotonic = monotonic
        self._start = monotonic()
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8", newline="\n")
        self._listeners: list[Callable[[dict[str, Any]], None]] = []

    def now(self) -> float:
        """Return seconds since the start of the run."""
        return self._monotonic() - self._start

    def listen(self, listener: Callable[[dict[str, Any]], None]) -> None:
        """Call `listener` with every later event, in the thread that writes it."""
        self._listeners.append(listener)

    def write(self, kind: str, machine: str | None = None, **fields: Any) -> None:
        """Append one event, redacted; write other values as text."""
        event = {
            "t": round(self.now(), 3),
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "kind": kind,
            "machine": machine,
            **redact_tree(fields),
        }
        line = json.dumps(event, ensure_ascii=False, default=lambda value: redact(str(value)))
        with self._lock:
            if not self._file.closed:
                self._file.write(line + "\n")
                self._file.flush()
        for listener in self._listeners:
            listener(event)

    def close(self) -> None:
        """Close the file; later events are dropped."""
        with self._lock:
            self._file.close()


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a journal; skip a truncated last line."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                event = parse_json(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event
