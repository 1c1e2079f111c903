"""A copy of a console as it is read, each line with the second of the run at which the harness read it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path

from harness.core.secret import LineRedactor

# A guest that prints without end must not fill the host's disk twice.
LIMIT_BYTES = 16 << 20


class ConsoleLog:
    """Appends lines to a file; safe for what stands in them, and never raises: it is evidence, not the work.

    Args:
        path: The file; its directory is made.
        now: Seconds since the start of the run.
    """

    def __init__(self, path: Path, now: Callable[[], float], limit_bytes: int = LIMIT_BYTES) -> None:
        self.path = path
        self._now = now
        self._left = limit_bytes
        self._redact = LineRedactor()

    def take(self, lines: Iterable[str]) -> None:
        """Append these lines, all with the time of now; what is over the limit is left out, and the file says so."""
        stamp = f"[{self._now():9.3f}] "
        text = "".join(f"{stamp}{self._redact(line)}\n" for line in lines)
        if not text or self._left <= 0:
            return
        data = text.encode("utf-8", errors="replace")
        kept = data[: self._left]
        self._left -= len(data)
        if self._left <= 0:
            kept += b"\n[the rest is left out: the console printed more than is kept]\n"
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(kept)
