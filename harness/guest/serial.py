"""Serial port of a guest: its events and its last lines.

One event is one line, written by the installer and by the installed system:

    @LAB1 <nonce> <boot_id> <event> [key=value ...] #<len>

`nonce` is the machine's SMBIOS serial number without prefix, blanks and dash: 32 hex digits that the harness sets by
`uuid.bios`, so that a line belongs to one run. `boot_id` is `/proc/sys/kernel/random/boot_id`. Values are
percent-encoded. `<len>` counts the characters from `@` up to and including the blank before `#`: the kernel writes
to the same port, and a line that it interrupted is ignored.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, unquote

from harness.core.deadline import SYSTEM_CLOCK, Clock
from harness.guest.kernel_starts import MARKS, KernelStarts

__all__ = [
    "GuestEvent",
    "SerialFollower",
    "format_event",
    "parse_event",
    "strip_escapes",
]

_EVENT = re.compile(
    r"@LAB1 (?P<nonce>[0-9a-f]{32}|-) (?P<boot>\S+) (?P<event>[a-z0-9-]+)"
    r"(?P<fields>(?: [a-z0-9_.-]+=\S*)*) #(?P<len>\d+)$"
)

# ECMA-48: CSI sequences (colours, cursor), OSC sequences (titles), and two-character escapes.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

# A line that never ends (a progress bar) is cut at this length, so that memory is bounded.
MAX_LINE_BYTES = 1 << 16
# Lines that are kept for `tail`, and the characters of each.
KEPT_LINES = 400
_KEPT_CHARACTERS = 4096
_CHUNK_BYTES = 1 << 18
# Of a longer console only these lines are read, up to this many bytes of its end: a minute's work otherwise.
_BACKLOG_BYTES = 1 << 20
_KEPT_MARKS = (b"@LAB1 ", *(mark.encode() for mark in MARKS))


@dataclass(frozen=True)
class GuestEvent:
    """An event that a guest reported on its serial port.

    Attributes:
        event: Name of the event, for example `ssh-ready`.
        nonce: Identifies machine and run; `-` if the machine has no serial number of a lab.
        boot_id: The boot that reported it.
        fields: Further values, decoded.
        at_s: When the harness read it, in seconds of the follower's clock; 0 if parsed without a follower.
    """

    event: str
    nonce: str
    boot_id: str
    fields: Mapping[str, str] = field(default_factory=dict)
    at_s: float = 0.0

    def __str__(self) -> str:
        shown = {key: value for key, value in self.fields.items() if "\n" not in value}
        return " ".join([self.event, *(f"{key}={value}" for key, value in shown.items())])


def parse_event(line: str) -> GuestEvent | None:
    """Return the event of one line, or None if it is incomplete.

    Text before the last `@LAB1` is ignored: an unfinished kernel message may stand in front of the event.
    """
    text = strip_escapes(line).rstrip()
    start = text.rfind("@LAB1 ")
    match = _EVENT.match(text, start) if start >= 0 else None
    if match is None or match.start("len") - 1 - start != int(match["len"]):
        return None
    pairs = (pair.partition("=") for pair in match["fields"].split())
    fields = {key: unquote(value, errors="replace") for key, _, value in pairs}
    return GuestEvent(match["event"], match["nonce"], match["boot"], fields)


def format_event(event: str, nonce: str, boot_id: str, fields: Mapping[str, str] | None = None) -> str:
    """Return the line that a guest writes for an event."""
    words = ["@LAB1", nonce, boot_id, event, *(f"{key}={quote(value)}" for key, value in (fields or {}).items())]
    body = " ".join(words) + " "
    return f"{body}#{len(body)}"


def strip_escapes(text: str) -> str:
    """Remove terminal escapes and control characters, except tabs and line feeds."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text))


class SerialFollower:
    """Follows the growing file behind a guest's serial port.

    No content makes it raise.

    The file may not exist yet. A file that became shorter is a new one, and is read from its start. Every line
    is passed to `record` as it is read.

    Attributes:
        path: The file.
        foreign: Number of events by other nonces: an older guest, or another machine, writes to this file.
        kernels: The starts of kernels that the file shows.
    """

    def __init__(
        self,
        path: Path,
        nonce: str,
        clock: Clock = SYSTEM_CLOCK,
        record: Callable[[Sequence[str]], None] = lambda _: None,
    ) -> None:
        self.path = path
        self.foreign: Counter[str] = Counter()
        self.kernels = KernelStarts()
        self._nonce = nonce
        self._clock = clock
        self._record = record
        self._offset = 0
        self._behind = 0
        self._partial = b""
        self._lines: list[str] = []

    def poll(self) -> list[GuestEvent]:
        """Return the new events with this machine's nonce, oldest first."""
        events = self._process(self._lines_of(self._read()))
        for _ in range(self._behind // _CHUNK_BYTES + 1):  # a guest that prints without end does not hold it up
            events += self._process(self._lines_of(self._read()))
        return events

    def finish(self) -> list[GuestEvent]:
        """Return new events, including a last line without a line end."""
        events = self.poll()
        rest, self._partial = self._partial, b""
        return events + self._process([rest])

    def _process(self, lines: Iterable[bytes]) -> list[GuestEvent]:
        events = []
        for raw in lines:
            shown = _overprinted(raw)
            self._record(shown)
            for line in shown:
                self.kernels.add(line)
            self._lines += (line[:_KEPT_CHARACTERS] for line in shown[-1:])
            found = (self._own_event(line) for line in shown if "@LAB1 " in line)
            events += [event for event in found if event is not None]
        del self._lines[:-KEPT_LINES]
        return events

    def tail(self, lines: int = 30) -> str:
        """Return the last non-empty lines as printable text, including an unfinished one."""
        shown = [*self._lines, self._unfinished] if self._unfinished else self._lines
        return "\n".join(shown[-lines:]) if lines > 0 else ""

    @property
    def last_line(self) -> str:
        """The last non-empty line, finished or not; "" if there is none."""
        return self.tail(1)

    @property
    def _unfinished(self) -> str:
        return "".join(_overprinted(self._partial)[-1:])

    def _own_event(self, line: str) -> GuestEvent | None:
        event = parse_event(line)
        if event is None:
            return None
        if event.nonce != self._nonce:
            self.foreign[event.nonce] += 1
            return None
        return replace(event, at_s=self._clock.monotonic())

    def _lines_of(self, data: bytes) -> list[bytes]:
        *complete, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > MAX_LINE_BYTES:
            complete.append(self._partial)
            self._partial = b""
        if self._behind > _BACKLOG_BYTES:
            complete = [line for line in complete if any(mark in line for mark in _KEPT_MARKS)]
        return complete

    def _read(self) -> bytes:
        """Return the next new bytes; empty where there are none, or no file."""
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, 2)
                if size < self._offset:
                    self._offset, self._partial = 0, b""
                file.seek(self._offset)
                data = file.read(_CHUNK_BYTES)
        except OSError:
            return b""
        self._offset += len(data)
        self._behind = size - self._offset
        return data


def _overprinted(raw: bytes) -> list[str]:
    """Split a line at the carriage returns of a progress bar."""
    parts = raw.decode("utf-8", errors="replace").split("\r")
    return [shown for part in parts if (shown := strip_escapes(part).rstrip())]
