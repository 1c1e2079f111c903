"""Transcripts: commands of a `vmrun` and its output, to read and to replay.

A transcript has a head of `key: value` lines and one section per test; a section has entries, in their order:

    source: Workstation 17.6.3 on Windows 11
    platform: win32
    confidence: T
    guest: windows

    [test_stop_of_a_machine_that_is_off]
    $ stop {one} hard
    | Error: The virtual machine is not powered on: {one}
    = -1
    ? setting {one} memsize
    : "64"

`$` a command without the program and without `-T TYPE`; `|` a line of standard output, `!` of standard error; `=` the
exit status as vmrun means it (-1, not 255 or 4294967295), or `hangs`, and where it differs from the head's, the
confidence; `?` something that was looked at on the host and `:` what it was, as JSON. `{one}` is the VMX path of the
machine `one`, `{vms}` the directory of all machines, `{user}` and `{password}` what follows `-gu` and `-gp`. A word
with blanks, quotes or backslashes is a JSON string. `|~` and `!~` mark a last line without a line end. `#` begins a
comment, at the beginning of a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

HANGS = "hangs"
_HEAD = ("source", "platform", "confidence", "guest")
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')
_PLAIN = re.compile(r'[^\s"\\#]+')
_PLACE = re.compile(r"\{([A-Za-z]\w*)\}")


class TranscriptError(ValueError):
    """A transcript that cannot be read; the text names the line."""


@dataclass(frozen=True)
class Call:
    """One command and its answer; `code` is None for a timeout."""

    words: tuple[str, ...]
    out: str = ""
    err: str = ""
    code: int | None = 0
    confidence: str = ""


@dataclass(frozen=True)
class Look:
    """An observation of the host; `seen` is a JSON value."""

    words: tuple[str, ...]
    seen: Any = None


Entry = Call | Look


@dataclass(frozen=True)
class Transcript:
    """The answers of one `vmrun` on one host.

    `guest` is `linux` or `windows`.
    """

    source: str
    platform: str
    confidence: str
    guest: str = "linux"
    sections: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)

    @property
    def separator(self) -> str:
        """What stands between the parts of a path there."""
        return "\\" if self.platform == "win32" else "/"

    @property
    def line_end(self) -> str:
        """What ends a line of output there."""
        return "\r\n" if self.platform == "win32" else "\n"


@dataclass(frozen=True)
class Names:
    """The paths of one bench: its directory and VMX files."""

    vms: str
    separator: str

    def vmx(self, name: str) -> str:
        """Return the VMX path of a machine."""
        return self.separator.join((self.vms, name, f"{name}.vmx"))

    def fill(self, text: str) -> str:
        """Return `text` with the paths that its placeholders stand for."""
        return _PLACE.sub(lambda match: self._path(match[1]), text)

    def _path(self, name: str) -> str:
        if name in ("user", "password"):
            return "{" + name + "}"
        return self.vms if name == "vms" else self.vmx(name)

    def hide(self, text: str, machines: Iterable[str]) -> str:
        """Return `text` with placeholders for the paths: what `fill` undoes."""
        for name in sorted(machines, key=len, reverse=True):
            text = text.replace(self.vmx(name), "{" + name + "}")
        return text.replace(self.vms, "{vms}")


def match(entries: Sequence[Entry], position: int, kind: type[Entry], words: Sequence[str]) -> tuple[Entry, int] | None:
    """Return the entry that answers, and the position after it; None where the transcript has no such answer.

    The next entry answers, or the last one again: a command that is repeated while nothing changes is written once.
    """
    for place in (position, position - 1):
        if 0 <= place < len(entries):
            entry = entries[place]
            if isinstance(entry, kind) and entry.words == tuple(words):
                return entry, place + 1
    return None


def normal(words: Sequence[str]) -> tuple[str, ...]:
    """Return a command without `-T TYPE`, its login replaced by placeholders."""
    kept = words[2:] if len(words) >= 2 and words[0] == "-T" else words
    hidden = {"-gu": "{user}", "-gp": "{password}"}
    return tuple(hidden.get(kept[index - 1] if index else "", word) for index, word in enumerate(kept))


def condensed(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the entries with each run of equal ones written once."""
    kept: list[Entry] = []
    for entry in entries:
        if not kept or kept[-1] != entry:
            kept.append(entry)
    return tuple(kept)


def parse(text: str) -> Transcript:
    """Return the transcript that `text` holds.

    Raises:
        TranscriptError: With the number of the first line that has no meaning where it stands.
    """
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            try:
                reader.line(line)
            except (ValueError, IndexError, KeyError) as error:
                raise TranscriptError(f"line {number}: {error or line!r}: {line}") from error
    return reader.transcript()


def render(transcript: Transcript) -> str:
    """Return the text of a transcript; `parse` undoes it."""
    lines = [f"{key}: {getattr(transcript, key)}" for key in _HEAD]
    for name, entries in transcript.sections.items():
        lines += ["", f"[{name}]"]
        for entry in entries:
            lines += _rendered(entry)
    return "\n".join(lines) + "\n"


def _rendered(entry: Entry) -> list[str]:
    if isinstance(entry, Look):
        return [f"? {_joined(entry.words)}", f": {json.dumps(entry.seen)}"]
    status = HANGS if entry.code is None else str(entry.code)
    return [
        f"$ {_joined(entry.words)}".rstrip(),
        *_stream("|", entry.out),
        *_stream("!", entry.err),
        f"= {status} {entry.confidence}".rstrip(),
    ]


def _joined(words: Sequence[str]) -> str:
    return " ".join(word if _PLAIN.fullmatch(word) else json.dumps(word) for word in words)


def _split(text: str) -> tuple[str, ...]:
    return tuple(json.loads(word) if word.startswith('"') else word for word in _WORD.findall(text))


def _stream(mark: str, text: str) -> list[str]:
    lines = text.split("\n")
    last = lines.pop()
    return [f"{mark} {line}".rstrip() for line in lines] + ([f"{mark}~ {last}"] if last else [])


class _Reader:
    """Takes the lines of a transcript, one after the other."""

    def __init__(self) -> None:
        self._head: dict[str, str] = {}
        self._sections: dict[str, list[Entry]] = {}
        self._entries: list[Entry] | None = None
        self._words: tuple[str, ...] = ()
        self._streams = {"|": "", "!": ""}

    def transcript(self) -> Transcript:
        sections = {name: tuple(entries) for name, entries in self._sections.items()}
        source, platform, confidence, guest = (self._head[key] for key in _HEAD)
        return Transcript(source, platform, confidence, guest, sections)

    def line(self, line: str) -> None:
        mark, rest = line[0], line[2:]
        if mark == "[":
            name = line.strip()[1:-1]
            if name in self._sections:
                raise ValueError("a second section of this name")
            self._entries = self._sections[name] = []
        elif self._entries is None:
            key, _, value = line.partition(":")
            self._head[key.strip()] = value.strip()
        elif mark in "$?":
            self._words = _split(rest)
            self._streams = {"|": "", "!": ""}
        elif mark in self._streams:
            self._streams[mark] += line[3:] if line[1:2] == "~" else rest + "\n"
        elif mark == "=":
            self._entries.append(self._call(rest.split()))
        elif mark == ":":
            self._entries.append(Look(self._words, json.loads(rest)))
        else:
            raise ValueError("a line begins with one of $ | ! = ? : # [")

    def _call(self, status: list[str]) -> Call:
        code = None if status[0] == HANGS else int(status[0])
        confidence = status[1] if len(status) > 1 else ""
        return Call(self._words, self._streams["|"], self._streams["!"], code, confidence)
