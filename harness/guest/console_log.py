"""Copy of a guest's console, each line with its time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path

from harness.core.secret import LineRedactor

# A guest that prints without end must not fill the host's disk twice.
LIMIT_BYTES = 16 << 20


class ConsoleLog:
    """Log of console lines, redacted.

    It never raises, because it is evidence only.

    Args:
        path: The file; its directory is created.
        now: Seconds since the start of the run.

    Attributes:
        earlier: Whether the lines are of an earlier run: when they were printed is not known.
    """

    def __init__(self, path: Path, now: Callable[[], float], limit_bytes: int = LIMIT_BYTES) -> None:
        self.path = path
        self.earlier = False
        self._now = now
        self._left = limit_bytes
        self._redact = LineRedactor()

    def append(self, lines: Iterable[str]) -> None:
        """Append lines with the current time.

        Lines over the limit are omitted with a note.
        """
        stamp = f"[{'earlier':>9}] " if self.earlier else f"[{self._now():9.3f}] "
        text = "".join(f"{stamp}{self._redact(line)}\n" for line in lines)
        if not text or self._left <= 0:
            return
        data = text.encode("utf-8", errors="replace")
        kept = data[: self._left]
        self._left -= len(data)
        if self._left <= 0:
            kept += b"\n[the rest is omitted: the console printed more than the limit of this file]\n"
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(kept)
