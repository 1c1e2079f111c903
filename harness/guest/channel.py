"""What a guest can be asked, and how asking fails. No SSH in here: phases know this module only.

GuestError
├── NoRoot            the account may not become root without a password
├── ConnectFailed     nobody answers, or not yet with SSH; asking again later is right
├── AuthFailed        sshd answers and refuses the lab's key
├── HostKeyMismatch   somebody else answers; never asked again
├── ChannelLost       the connection, or the shell behind it, ended while it was used
├── CommandTimeout    the command did not end in time; its output so far is in the error
└── OutputTooLarge    more output than the harness is willing to hold
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
    """A command that ended. A non-zero exit status is an answer; 128+n means that signal n ended it."""

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
        """Run a command line of `sh` to its end, each in a fresh shell; as root by way of sudo without a password.

        Raises:
            GuestError: It could not be asked, or did not end within `timeout_s`.
        """

    def close(self) -> None:
        """End the connection; safe to call twice."""


class NoRoot(GuestError):
    """sudo wants a password, or is not there."""


class ConnectFailed(GuestError):
    """No SSH connection came about: refused, no route, no banner, no answer in time."""


class AuthFailed(GuestError):
    """sshd refuses the lab's key. While a guest's first boot makes the account, this passes by itself."""


class HostKeyMismatch(GuestError):
    """The machine that answers is not the one whose host key is pinned."""

    def __init__(self, *, where: str, expected: str, seen: str) -> None:
        self.expected = expected
        self.seen = seen
        super().__init__(
            "another machine answers: the host key is not the pinned one",
            where=where,
            said=f"expected {expected}\nseen     {seen}",
            remedy="find out who listens at this address (an older guest, another lab, a foreign machine); "
            "a guest that was installed anew needs a new run, which pins its new key",
        )


class ChannelLost(GuestError):
    """The connection or the kept shell ended; whether the command was carried out is not known."""


class CommandTimeout(GuestError):
    """A command did not end in time. `stdout` and `stderr` are what it had printed until then."""

    def __init__(self, command: str, *, where: str, timeout_s: float, stdout: str = "", stderr: str = "") -> None:
        self.command = command
        self.stdout = stdout
        self.stderr = stderr
        super().__init__(
            f"`{brief(command)}` did not end within {timeout_s:.3g} s",
            where=where,
            said=output_tail(stdout, stderr) or "(nothing was printed)",
            remedy="look at the machine's serial log; give the command more time if the guest is only slow",
        )


class OutputTooLarge(GuestError):
    """A command or a file has more bytes than the harness holds in memory."""


def brief(command: str, width: int = 120) -> str:
    """Return the first line of a command, cut to `width` characters and without secrets."""
    lines = redact(command).strip().splitlines() or [""]
    shown = lines[0][:width]
    return shown if len(lines) == 1 and len(lines[0]) <= width else shown + " …"


def output_tail(stdout: str, stderr: str) -> str:
    """Return the ends of both streams, redacted, with the name of the stream where both have something."""
    parts = []
    for name, text in (("stdout", stdout), ("stderr", stderr)):
        if text.strip():
            tail = redact(text)[-SHOWN_CHARACTERS:].strip("\n")
            parts.append(f"[{name}] {tail}" if stdout.strip() and stderr.strip() else tail)
    return "\n".join(parts)
