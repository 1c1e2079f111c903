"""One plain `sh`, kept open over one SSH channel, that runs command after command.

Starting a session in the guest is what costs time, not asking: a frame on a kept shell is some fifty times cheaper
than one `exec` channel per command.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from harness.core.deadline import Deadline
from harness.guest.shell_protocol import FrameReader, frame, new_token

_CHUNK_BYTES = 1 << 16
# A waiting thread looks up once a second: on Windows Ctrl-C does not interrupt a longer wait.
_LOOK_UP_S = 1.0
# From this size on a frame may fill the socket's buffer, and sending to a frozen peer may block.
_LARGE_FRAME_BYTES = 1 << 15

# A login that is no login shell has no sbin directories on Debian; `ip`, `sysctl`, `ethtool` live there.
_PREAMBLE = b"PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH\n"


class ByteChannel(Protocol):
    """The part of `paramiko.Channel` that a kept shell uses."""

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
        """End the channel."""


class _Wakeup(threading.Event):
    """An event that two buffers set and only the reader clears: no arrival is ever forgotten."""

    def clear(self) -> None:
        """Do nothing: paramiko clears when *one* buffer is empty, while the other may hold bytes."""

    def arm(self) -> None:
        """Clear, by the reader, before it looks into the buffers."""
        super().clear()


class ShellEnded(Exception):
    """The kept shell, or the connection under it, ended in the middle of a frame."""


class TooLong(Exception):
    """The output grew over the limit."""


@contextmanager
def abort_at(deadline: Deadline, end: Callable[[], None]) -> Iterator[None]:
    """Have `end`, which must not raise, called from another thread if the block still runs at the deadline."""
    timer = threading.Timer(deadline.remaining, end)
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
        drop: Ends the whole connection; used when sending blocks on a peer that does not read.
        broken: What the channel raises when the connection under it ends.
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
        """Have what an earlier shell with that process id left behind killed before the next command.

        sshd makes each session's program the leader of a process group of its own (setsid(2)).
        """
        kill = f"kill -s KILL -- -{pid} 2>/dev/null </dev/null"
        self._unsent += f"{kill}; sudo -n {kill}\n".encode("ascii")

    def exchange(self, command: str, stdin: str, deadline: Deadline, limit_bytes: int) -> FrameReader:
        """Run one command; the answer is `done`, or holds what had come when the deadline expired.

        Raises:
            ShellEnded: With the reader as its argument.
            TooLong: With the reader as its argument.
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
            self._wakeup.wait(min(deadline.remaining, _LOOK_UP_S))

    def close(self) -> None:
        """End the channel; what still runs behind it in the guest is not waited for. Never raises."""
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
                raise TooLong(reader)
