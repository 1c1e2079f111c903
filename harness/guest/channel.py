"""Interface to run commands in a guest, and its errors.

It is independent of SSH: phases import only this.

GuestError
├── NoRoot            the account may not become root without a password
├── ConnectFailed     no SSH server answers yet; a retry is right
├── AuthFailed        sshd answers and rejects the lab's key
├── HostKeyMismatch   another machine answers; never retried
├── ChannelLost       the connection, or the shell behind it, ended during a command
├── CommandTimeout    the command did not end in time; its output so far is in the error
└── OutputTooLarge    more output than the harness keeps in memory
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from harness.core.errors import GuestError
from harness.core.secret import redact

# How much of a stream is shown in an error text, in characters.
SHOWN_CHARACTERS = 2000


@dataclass(frozen=True)
class CommandResult:
    """A finished command. A non-zero exit status is a result.

    128+n means that signal n ended it.
    """

    command: str
    exit_status: int
    stdout: str
    stderr: str
    duration_s: float

    @property
    def ok(self) -> bool:
        """Whether the exit status is 0."""
        return self.exit_status == 0


class GuestChannel(Protocol):
    """A way to run commands in one guest."""

    def run(self, command: str, *, timeout_s: float, stdin: str = "", as_root: bool = False) -> CommandResult:
        """Run a command line in a fresh `sh` to its end.

        As root it runs through sudo without a password.

        Raises:
            GuestError: The command could not be run, or did not end within `timeout_s`.
        """

    def close(self) -> None:
        """Close the connection; safe to call twice."""


class NoRoot(GuestError):
    """sudo asks for a password, or is not installed."""


class ConnectFailed(GuestError):
    """No SSH connection: refused, no route, no banner, no answer in time."""

    inconclusive = True


class AuthFailed(GuestError):
    """sshd rejects the lab's key.

    Passes when the guest's first boot has created the account.
    """


class HostKeyMismatch(GuestError):
    """The host key of the answering machine is not the pinned one."""

    def __init__(self, *, where: str, expected: str, seen: str) -> None:
        self.expected = expected
        self.seen = seen
        super().__init__(
            "another machine answers: the host key is not the pinned one",
            where=where,
            detail=f"expected {expected}\nseen     {seen}",
            remedy="find the machine that listens at this address (an older guest, another lab, a foreign machine); "
            "for a guest that was installed again start a new run, which pins its new key",
        )


class ChannelLost(GuestError):
    """The connection or its shell ended.

    Whether the command was executed is unknown.
    """

    inconclusive = True


class CommandTimeout(GuestError):
    """A command did not end in time.

    `stdout` and `stderr` hold its output so far.
    """

    inconclusive = True

    def __init__(self, command: str, *, where: str, timeout_s: float, stdout: str = "", stderr: str = "") -> None:
        self.command = command
        self.stdout = stdout
        self.stderr = stderr
        super().__init__(
            f"`{brief(command)}` did not end within {timeout_s:.3g} s",
            where=where,
            detail=output_tail(stdout, stderr) or "(no output)",
            remedy="raise `deadlines_s.guest_command` in the lab file if the guest is only slow",
        )


class OutputTooLarge(GuestError):
    """A command printed more bytes than the harness keeps in memory."""

    inconclusive = True


def brief(command: str, width: int = 120) -> str:
    """Return the redacted first line of a command, at most `width` characters."""
    lines = redact(command).strip().splitlines() or [""]
    shown = lines[0][:width]
    return shown if len(lines) == 1 and len(lines[0]) <= width else shown + " …"


def output_tail(stdout: str, stderr: str) -> str:
    """Return the ends of both streams, redacted.

    With the streams' names if both have output.
    """
    parts = []
    for name, text in (("stdout", stdout), ("stderr", stderr)):
        if text.strip():
            tail = redact(text)[-SHOWN_CHARACTERS:].strip("\n")
            parts.append(f"[{name}] {tail}" if stdout.strip() and stderr.strip() else tail)
    return "\n".join(parts)
