"""Lines of a VMX file: the grammar of VMware's own reader. Pure.

Source: open-vm-tools, lib/dict/dictll.c, `DictLL_UnmarshalLine`; its `Escape_Undo` keeps a `|` without two hex digits.
"""

from __future__ import annotations

import re

from harness.vmware import charsets

WRITTEN_KEY = r"[^\s=\"#]+"
# Each repetition is possessive: a line of a million blanks costs one look at each.
_KEY = r"[ \t]*+(?P<key>[^ \t=#]++)[ \t]*+=[ \t]*+"
_REST = r"[ \t]*+(?:#.*)?"
_QUOTED = re.compile(rf'{_KEY}"(?P<value>[^"]*+)"{_REST}', re.DOTALL)
_BARE = re.compile(rf'{_KEY}(?P<value>(?:[^ \t#"][^ \t#]*+)?){_REST}', re.DOTALL)
_NO_SETTING = re.compile(_REST, re.DOTALL)
# Runs of escaped bytes; or a `|` without two hex digits, with what `Escape_Undo` looked at before it gave up.
_ESCAPES = re.compile(r"(?P<bytes>(?:\|[0-9A-Fa-f]{2})+)|\|(?:[0-9A-Fa-f].?|.)?", re.DOTALL)
_ENCODING = re.compile(rb"^[ \t]*+\.encoding[ \t]*+=[ \t]*+\"?([^\"\r\n#]*+)", re.IGNORECASE | re.MULTILINE)
_TO_ESCAPE = re.compile(r"[\x00-\x1f\x7f\"|]")

_MOST_LINES = 100_000  # the longest VMX that is known has some hundred
_SHOWN = 80

# Charsets tried, in this order, for a file that does not name its own; the last one fits any bytes.
UNNAMED = ["UTF-8", "windows-1252"]


class VmxError(ValueError):
    """A VMX that cannot be read or written.

    Attributes:
        line: From 1; 0 for the whole file.
        filename: Its path, if it has one.
    """

    def __init__(self, reason: str, line: int = 0) -> None:
        self.filename: str | None = None
        self.reason = reason
        self.line = line
        super().__init__(f"line {line}: {reason}" if line else reason)


class Line:
    """One line: text, line end, key, value and bytes.

    `data` has the bytes read; it is None for a line that was set: only such a line is encoded again.
    """

    __slots__ = ("data", "end", "key", "raw", "value")

    def __init__(self, raw: str, end: str, key: str = "", value: str = "", data: bytes | None = None) -> None:
        self.raw = raw
        self.end = end
        self.key = key
        self.value = value
        self.data = data


def escape(value: str) -> str:
    """Return `value` as it stands between the quotes of a VMX line."""
    return _TO_ESCAPE.sub(lambda match: f"|{ord(match[0]):02X}", value)


def unescape(value: str, charset: str) -> str:
    """Return the unescaped value, which ends at a NUL as in VMware."""

    def text(run: re.Match[str]) -> str:
        if run["bytes"] is None:
            return run[0]
        data = bytes.fromhex(run[0].replace("|", ""))
        try:
            return charsets.decode(data, charset)
        except LookupError:
            return data.decode("utf-8", "replace")
        except UnicodeDecodeError as error:
            return data.decode(error.encoding, "replace")

    return _ESCAPES.sub(text, value).split("\0", 1)[0]


def render(key: str, value: str) -> str:
    """Return the line of a setting, without a line end."""
    return f'{key} = "{escape(value)}"'


def split_lines(text: str) -> list[tuple[int, str, str]]:
    """Return (number from 1, text, line end) of every line.

    Only LF and CRLF end a line.
    """
    pieces = text.split("\n")
    lines = []
    for number, piece in enumerate(pieces, start=1):
        last = number == len(pieces)
        if last and not piece:
            break
        raw = piece.removesuffix("\r")
        lines.append((number, raw, piece[len(raw) :] + ("" if last else "\n")))
    return lines


def parse_line(raw: str, end: str, number: int, data: bytes | None = None) -> Line:
    """Parse one line; its value is still escaped.

    Raises:
        VmxError: It is no setting, no comment and not blank.
    """
    text = raw.split("\0", 1)[0]  # a line is a C string to VMware
    if _NO_SETTING.fullmatch(text):
        return Line(raw, end, data=data)
    match = _QUOTED.fullmatch(text) or _BARE.fullmatch(text)
    if match is None:
        text = raw.strip()
        shown = repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
        raise VmxError(f'expected `key = "value"`, got {shown}', number)
    return Line(raw, end, match["key"], match["value"], data)


def charsets_to_try(data: bytes) -> list[str]:
    """Return the charset that the file names, or those of files that name none."""
    named = _ENCODING.search(data)
    name = named[1].strip().decode("ascii", "replace") if named else ""
    return [name] if name else UNNAMED


def decode_lines(data: bytes, candidates: list[str]) -> tuple[list[tuple[int, str, str, bytes]], str]:
    """Return the lines of `split_lines` with their bytes, and the charset.

    Raises:
        VmxError: None of the candidates fits, or it has too many lines.
    """
    if data.count(b"\n") > _MOST_LINES:
        raise VmxError(f"more than {_MOST_LINES} lines")
    pieces = data.split(b"\n")
    whole = [piece + b"\n" for piece in pieces[:-1]] + [pieces[-1]] * bool(pieces[-1])
    problem = VmxError("no charset")
    for encoding in candidates:
        try:
            return [_decode_line(number, line, encoding) for number, line in enumerate(whole, start=1)], encoding
        except LookupError:
            problem = VmxError(f"unknown charset {encoding[:_SHOWN]!r} in .encoding")
        except _UndecodableLineError as error:
            problem = VmxError(f"not {encoding}: {error.reason}", error.number)
    raise problem


class _UndecodableLineError(Exception):
    def __init__(self, number: int, reason: str) -> None:
        self.number = number
        self.reason = reason


def _decode_line(number: int, data: bytes, encoding: str) -> tuple[int, str, str, bytes]:
    try:
        text = charsets.decode(data, encoding)
    except UnicodeDecodeError as error:
        raise _UndecodableLineError(number, error.reason) from error
    raw = text.removesuffix("\n").removesuffix("\r")
    return number, raw, text[len(raw) :], data
