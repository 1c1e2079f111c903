"""VMX files: parse, get, set, remove, encode.

Only `read` and `write` touch a file. A VMX is a list of `key = "value"` lines. What VMware and its clients agree on,
and what this module preserves:

* Keys are not case-sensitive; a key's spelling, its position, comments, blank lines, line ends (LF or CRLF) and unknown
  keys survive an edit. Only the line that is set changes.
* `|XX` (two hex digits) is one byte in the file's charset: `|22` is `"`, `|7C` is `|`, `|0A` a line feed. Any other `|`
  stands for itself.
* `.encoding = "UTF-8"` names the charset of the file (see `harness.vmware.charsets`); without it UTF-8 is tried, then
  windows-1252. A byte order mark is tolerated and not written back.
* Values may be unquoted when read: up to a blank or `#`, and with quotes after the first character. They are always
  quoted when written. A duplicate key: the last one counts, and setting it leaves one line.

The grammar is that of VMware's own reader: open-vm-tools, lib/dict/dictll.c, `DictLL_UnmarshalLine`.

    vmx = Vmx.read(path)
    vmx.set("sata0:1.startConnected", False)      # "FALSE"
    vmx.get("MEMSIZE")                            # "4096", or None when the key is absent
    vmx.flag("ethernet0.present")                 # bool; absent means the default
    vmx.write(path)                               # atomic: a reader sees the old file or the new one

VMware keeps its own copy while a machine runs and writes it at power-off: edit only a machine that is off and has no
`.lck` directories.
"""

from __future__ import annotations

import codecs
import contextlib
import copy
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.core.files import read_regular_file, retry_on_sharing_violation
from harness.core.temporary_files import create_file
from harness.vmware import charsets
from harness.vmware.vmx_lines import (
    WRITTEN_KEY,
    Line,
    VmxError,
    charsets_to_try,
    decode_lines,
    parse_line,
    render,
    split_lines,
    unescape,
)

__all__ = ["Vmx", "VmxError"]

_LIMIT = 16 << 20  # a thousand times the largest VMX that is known


@contextlib.contextmanager
def _naming_file(path: str | os.PathLike[str]) -> Iterator[None]:
    """Add the path to a `VmxError` that is raised meanwhile."""
    try:
        yield
    except VmxError as error:
        error.filename = os.fspath(path)
        raise


class Vmx:
    """A VMX file in memory; the module's docstring lists what it preserves."""

    def __init__(self, lines: list[Line], charset: str) -> None:
        self._lines = lines
        self._charset = charset
        self._by_key: dict[str, Line] | None = None

    @classmethod
    def parse(cls, text: str, charset: str = "UTF-8") -> Vmx:
        """Parse the text of a VMX.

        Args:
            text: The text.
            charset: The charset of the file if the text has no `.encoding`.

        Raises:
            VmxError: With the number of the first line that is neither blank, nor a comment, nor a setting.
        """
        lines = [parse_line(raw, end, number) for number, raw, end in split_lines(text.removeprefix("\ufeff"))]
        return cls._of(lines, charset)

    @classmethod
    def _of(cls, lines: list[Line], charset: str) -> Vmx:
        vmx = cls(lines, charset)
        for line in lines:
            if "|" in line.value:
                line.value = unescape(line.value, vmx.encoding)
        return vmx

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Vmx:
        """Read and parse a VMX file in the charset of its `.encoding`.

        Raises:
            VmxError: It is malformed, or its charset is unknown or cannot decode its bytes.
            OSError: It cannot be read, is not a regular file, or is larger than 16 MiB.
        """
        data = read_regular_file(path, _LIMIT).removeprefix(codecs.BOM_UTF8)
        with _naming_file(path):
            lines, charset = decode_lines(data, charsets_to_try(data))
            return cls._of([parse_line(raw, end, number, kept) for number, raw, end, kept in lines], charset)

    @property
    def encoding(self) -> str:
        """The charset of the file: `.encoding`, or the one of reading."""
        return self.get(".encoding") or self._charset

    def get(self, key: str, default: str | None = None) -> str | None:
        """Return the unescaped value of `key`, or `default` without the key."""
        line = self._find(key)
        return default if line is None else line.value

    def flag(self, key: str, default: bool = False) -> bool:  # noqa: FBT001, FBT002 - reads like dict.get
        """Return whether `key` is TRUE; `default` if it is absent or empty."""
        value = (self.get(key) or "").strip().upper()
        return default if not value else value in ("TRUE", "1", "YES", "ON")

    def set(self, key: str, value: str | int | bool) -> None:  # noqa: FBT001 - TRUE and FALSE are VMX values
        """Set `key` to `value`, in its old position or at the end.

        A bool becomes TRUE or FALSE.

        Raises:
            VmxError: The key or the value cannot be written in a VMX.
        """
        if not re.fullmatch(WRITTEN_KEY, key):
            raise VmxError(f"not a key: {key!r}")
        text = str(value).upper() if isinstance(value, bool) else str(value)
        if "\0" in text:
            raise VmxError(f"not a value, because of its NUL: {text!r}")
        line = self._find(key)
        if line is None:
            self._append(Line(render(key, text), self._line_end(), key, text))
            return
        if line.value != text:
            line.raw, line.value, line.data = render(line.key, text), text, None
        self._lines = [other for other in self._lines if other is line or other.key.lower() != key.lower()]
        self._by_key = None

    def update(self, pairs: Iterable[tuple[str, str | int | bool]]) -> None:
        """Set each pair, in order."""
        for key, value in pairs:
            self.set(key, value)

    def remove(self, key: str) -> bool:
        """Remove every line of `key`; return whether there was one."""
        before = len(self._lines)
        self._lines = [line for line in self._lines if not line.key or line.key.lower() != key.lower()]
        self._by_key = None
        return len(self._lines) != before

    def items(self) -> list[tuple[str, str]]:
        """Return (key as spelled, value) in file order, of duplicates the last."""
        last = {line.key.lower(): line for line in self._lines if line.key}
        return [(line.key, line.value) for line in self._lines if line.key and last[line.key.lower()] is line]

    def __contains__(self, key: str) -> bool:
        """Return whether the key exists, with any value."""
        return self._find(key) is not None

    def copy(self) -> Vmx:
        """Return an independent copy."""
        return Vmx([copy.copy(line) for line in self._lines], self._charset)

    def text(self) -> str:
        """Return the text of the file.

        It is exactly the parsed text, except for lines that were set or removed.
        """
        return "".join(line.raw + line.end for line in self._lines)

    def encode(self) -> bytes:
        """Return the bytes of the file in its charset.

        They are the bytes that were read, except for the lines that were set.

        Raises:
            VmxError: The charset is unknown or lacks a character.
        """
        try:
            same = charsets.python_codec(self.encoding) == charsets.python_codec(self._charset)
            return b"".join(
                line.data if same and line.data is not None else charsets.encode(line.raw + line.end, self.encoding)
                for line in self._lines
            )
        except (LookupError, UnicodeEncodeError) as error:
            raise VmxError(f"cannot be written as {self.encoding}: {error}") from error

    def write(self, path: str | os.PathLike[str]) -> None:
        """Replace the file atomically and keep its access mode.

        Raises:
            VmxError: As `encode`.
            OSError: The directory or the file cannot be written.
        """
        target = Path(path)
        with _naming_file(path):
            data = self.encode()
        handle, new = create_file(target.parent, f"{target.name}.", ".tmp")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            if target.exists():
                shutil.copymode(target, new)
            else:
                new.chmod(0o600)  # it may hold a password of VNC, and names the disks
            retry_on_sharing_violation(lambda: new.replace(target))
        except BaseException:
            new.unlink(missing_ok=True)
            raise

    def _find(self, key: str) -> Line | None:
        if self._by_key is None:
            self._by_key = {line.key.lower(): line for line in self._lines if line.key}  # of duplicates the last
        return self._by_key.get(key.lower())

    def _line_end(self) -> str:
        return next((line.end for line in self._lines if line.end), "\n")

    def _append(self, line: Line) -> None:
        if self._lines and not self._lines[-1].end:
            self._lines[-1].end, self._lines[-1].data = self._line_end(), None
        self._lines.append(line)
        if self._by_key is not None:
            self._by_key[line.key.lower()] = line
