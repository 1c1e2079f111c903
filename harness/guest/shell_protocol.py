"""Protocol of the persistent shell: one frame per command on standard input.

A frame is three lines of shell text:

    printf '<RS>token:n:a:%s<RS>' "$$"; printf '<RS>token:n:a:<RS>' >&2
    sh -c '<command>' </dev/null                   (or: printf '%s' '<stdin>' | sh -c '<command>')
    s=$?; printf '<RS>token:n:z:%s<RS>' "$s"; printf '<RS>token:n:z:<RS>' >&2

The command is one single-quoted word (POSIX.1-2017, Shell Command Language, 2.2.2) and is run by its own shell, so
that it can neither end the frame nor leave variables behind. `<RS>` is U+001E, the ASCII record separator. The token is
random per shell, and the number is new per command: later output of a background job can stand between frames, where
it is dropped, but cannot look like a frame.
"""

from __future__ import annotations

import secrets
import shlex
from dataclasses import dataclass, field

_RS = b"\x1e"

# Linux: MAX_ARG_STRLEN is 32 pages of 4096 bytes for one argument, with its closing NUL (execve(2)).
MAX_COMMAND_BYTES = 32 * 4096 - 1


def new_token() -> str:
    """Return 32 random hex digits."""
    return secrets.token_hex(16)


def frame(token: str, number: int, command: str, stdin: str) -> bytes:
    """Return the shell text of one frame.

    Raises:
        ValueError: The command or its input has a NUL, or the command exceeds the limit of one argument.
    """
    if "\0" in command or "\0" in stdin:
        raise ValueError("a command and its standard input may not hold a NUL character")
    if len(command.encode("utf-8", "surrogateescape")) > MAX_COMMAND_BYTES:
        raise ValueError(f"a command may have at most {MAX_COMMAND_BYTES} bytes; send the rest as standard input")
    mark = f"\\036{token}:{number}:"
    run = f"sh -c {shlex.quote(command)}"
    run = f"printf %s {shlex.quote(stdin)} | {run}" if stdin else f"{run} </dev/null"
    text = (
        f"printf '{mark}a:%s\\036' \"$$\"; printf '{mark}a:\\036' >&2\n"
        f"{run}\n"
        f"s=$?; printf '{mark}z:%s\\036' \"$s\"; printf '{mark}z:\\036' >&2\n"
    )
    return text.encode("utf-8", "surrogateescape")


@dataclass
class _Stream:
    """One output stream: the bytes between the two marks of a frame."""

    opening: bytes
    closing: bytes
    opened: bytes | None = None
    closed: bytes | None = None
    content: bytearray = field(default_factory=bytearray)
    scanned: int = 0

    def feed(self, data: bytes) -> None:
        self.content += data
        if self.opened is None:
            self.opened, start, end = self._mark(self.opening)
            del self.content[:end]
            self.scanned = 0 if self.opened is not None else self.scanned - end
        if self.opened is not None and self.closed is None:
            self.closed, start, _ = self._mark(self.closing)
            if self.closed is not None:
                del self.content[start:]

    def _mark(self, mark: bytes) -> tuple[bytes | None, int, int]:
        """Return value, start and end of the mark.

        Only new bytes are searched.
        """
        start = self.content.find(mark, max(0, self.scanned - len(mark)))
        end = self.content.find(_RS, start + len(mark)) if start >= 0 else -1
        if end < 0:
            self.scanned = len(self.content) if start < 0 else start
            return None, 0, 0
        return bytes(self.content[start + len(mark) : end]), start, end + 1


class FrameReader:
    """Collects the output of one frame from the chunks of both streams."""

    def __init__(self, token: str, number: int) -> None:
        opening, closing = (_RS + f"{token}:{number}:{letter}:".encode("ascii") for letter in "az")
        self._out = _Stream(opening, closing)
        self._err = _Stream(opening, closing)

    def feed_stdout(self, data: bytes) -> None:
        """Add bytes of standard output."""
        self._out.feed(data)

    def feed_stderr(self, data: bytes) -> None:
        """Add bytes of standard error."""
        self._err.feed(data)

    @property
    def done(self) -> bool:
        """Whether both streams are complete."""
        return self._out.closed is not None and self._err.closed is not None

    @property
    def exit_status(self) -> int:
        """Exit status of the command; valid when `done`."""
        return int(self._out.closed or b"-1")

    @property
    def shell_pid(self) -> int | None:
        """Process id of the shell in the guest.

        None until the frame begins.
        """
        return int(self._out.opened) if self._out.opened else None

    @property
    def stdout(self) -> bytes:
        """Standard output so far.

        Before the frame begins, all bytes of the stream.
        """
        return bytes(self._out.content)

    @property
    def stderr(self) -> bytes:
        """Standard error so far.

        Before the frame begins, all bytes of the stream.
        """
        return bytes(self._err.content)

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return len(self._out.content) + len(self._err.content)
