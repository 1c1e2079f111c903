"""A plain `sh` that stays open over one SSH channel.

Starting a session in the guest costs the time, not the command: a frame on a persistent shell is some fifty times
cheaper than one `exec` channel per command.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from harness.core.deadline import Deadline
from harness.guest.shell_protocol import FrameReader, frame, new_token

_CHUNK_BYTES = 1 << 16
# A waiting thread wakes up once a second: on Windows Ctrl-C does not interrupt a longer wait.
_WAKE_UP_S = 1.0
# A frame of this size or more may fill the socket's buffer, and sending to a frozen peer may block.
_LARGE_FRAME_BYTES = 1 << 15

# The directories of the packaged programs only: a program of the same name in /usr/local would answer in their place.
GUEST_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_PREAMBLE = f"PATH={GUEST_PATH}; export PATH\n".encode("ascii")


class ByteChannel(Protocol):
    """The part of `paramiko.Channel` that a persistent shell uses."""

    in_buffer: Any
    in_stderr_buffer: Any
    closed: bool
    eof_received: int

    def settimeout(self, timeout: float | None) -> None:
        """Limit blocking calls, in seconds."""

    def sendall(self, s: Any) -> None:
        """Send everything."""

    def recv_ready(self) -> bool:
        """Whether `recv` returns at once."""

    def recv(self, nbytes: int) -> bytes:
        """Return bytes of standard output."""

    def recv_stderr_ready(self) -> bool:
        """Whether `recv_stderr` returns at once."""

    def recv_stderr(self, nbytes: int) -> bytes:
        """Return bytes of standard error."""

    def exit_status_ready(self) -> bool:
        """Whether the program behind the channel has ended."""

    def close(self) -> None:
        """Close the channel."""


class _Wakeup(threading.Event):
    """Event of two buffers that only the reader clears."""

    def clear(self) -> None:
        """Do nothing: paramiko clears when *one* buffer is empty.

        The other may hold bytes.
        """

    def arm(self) -> None:
        """Clear the event; the reader calls this before it reads the buffers."""
        super().clear()


class ShellEnded(Exception):
    """The shell or its connection ended in the middle of a frame."""


class OutputLimitExceeded(Exception):
    """The output of a command exceeded the limit."""


@contextmanager
def abort_at(deadline: Deadline, abort: Callable[[], None]) -> Iterator[None]:
    """Call `abort`, which must not raise, if the block outlasts the deadline."""
    timer = threading.Timer(deadline.remaining, abort)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class PersistentShell:
    """A running `sh`; not safe for two threads at once.

    Args:
        channel: Its three streams; `sh` has been started on it.
        drop: Closes the whole connection; used when sending blocks on a peer that does not read.
        broken: The exceptions of the channel when the connection under it ends.
    """

    def __init__(self, channel: ByteChannel, drop: Callable[[], None], broken: tuple[type[Exception], ...]) -> None:
        self.pid: int | None = None
        self._broken = broken
        self._channel = channel
        self._drop = drop
        self._token = new_token()
        self._number = 0
        self._wakeup = _Wakeup()
        self._unsent = _PREAMBLE
        channel.in_buffer.set_event(self._wakeup)
        channel.in_stderr_buffer.set_event(self._wakeup)

    def clean_up_after(self, pid: int) -> None:
        """Kill the leftover processes of an earlier shell before the next command.

        sshd makes each session's program the leader of a process group of its own (setsid(2)).
        """
        kill = f"kill -s KILL -- -{pid} 2>/dev/null </dev/null"
        self._unsent += f"{kill}; sudo -n {kill}\n".encode("ascii")

    def exchange(self, command: str, stdin: str, deadline: Deadline, limit_bytes: int) -> FrameReader:
        """Run one command.

        The result is `done`, or holds the output until the deadline.

        Raises:
            ShellEnded: With the reader as its argument.
            OutputLimitExceeded: With the reader as its argument.
            ValueError: The command cannot be framed.
        """
        text = frame(self._token, self._number + 1, command, stdin)
        self._number += 1
        reader = FrameReader(self._token, self._number)
        if not self._send(self._unsent + text, deadline):
            return reader
        self._unsent = b""
        while True:
            self._wakeup.arm()
            ended = self._channel.closed or self._channel.eof_received or self._channel.exit_status_ready()
            self._drain(reader, limit_bytes)
            self.pid = reader.shell_pid or self.pid
            if reader.done or deadline.expired:
                return reader
            if ended:
                raise ShellEnded(reader)
            self._wakeup.wait(min(deadline.remaining, _WAKE_UP_S))

    def close(self) -> None:
        """Close the channel without waiting for the guest's processes. Never raises."""
        with suppress(*self._broken):
            self._channel.close()

    def _send(self, data: bytes, deadline: Deadline) -> bool:
        self._channel.settimeout(max(0.001, deadline.remaining))
        try:
            if len(data) < _LARGE_FRAME_BYTES:
                self._channel.sendall(data)
            else:
                with abort_at(deadline, self._drop):
                    self._channel.sendall(data)
        except TimeoutError:
            return False
        except self._broken as error:
            if deadline.expired:
                return False
            raise ShellEnded(FrameReader(self._token, self._number)) from error
        return True

    def _drain(self, reader: FrameReader, limit_bytes: int) -> None:
        channel = self._channel
        while (out := channel.recv_ready()) | (err := channel.recv_stderr_ready()):
            if out:
                reader.feed_stdout(channel.recv(_CHUNK_BYTES))
            if err:
                reader.feed_stderr(channel.recv_stderr(_CHUNK_BYTES))
            if reader.size > limit_bytes:
                raise OutputLimitExceeded(reader)
