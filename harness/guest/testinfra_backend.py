"""testinfra backend over the harness's SSH channel.

testinfra's own SSH backends neither pin host keys nor limit commands. The only module that imports testinfra.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import testinfra.backend.base
import testinfra.host

from harness.core.errors import GuestError
from harness.guest.channel import ChannelLost, CommandTimeout, GuestChannel

# Timeout of the check after a command that did not end: long enough for a guest that is only slow.
_ALIVE_CHECK_S = 5.0


class _RootCommand(str):
    """Command line for root's shell."""

    __slots__ = ()


class LabChannel(GuestChannel, Protocol):
    """A channel that also tries logins."""

    @property
    def lab_key(self) -> str:
        """The lab's public key, as `type blob`."""

    def try_login(self, user: str, timeout_s: float) -> tuple[tuple[str, ...], bool]:
        """Return the methods that sshd offers, and whether it accepts the lab's key."""


class LabBackend(testinfra.backend.base.BaseBackend):  # type: ignore[misc]  # testinfra ships no types
    """Runs each testinfra command over the channel with one timeout.

    Attributes:
        lost: The error after which the guest stopped answering; no further command is sent.
    """

    NAME = "lab"

    def __init__(self, channel: LabChannel, name: str, timeout_s: float, condition: Callable[[], str]) -> None:
        super().__init__(name)
        self.lost: GuestError | None = None
        self._channel = channel
        self._timeout_s = timeout_s
        self._condition = condition

    def run(self, command: str, *args: str, **_: Any) -> Any:
        """Run a command and return testinfra's result.

        `%s` are replaced by the quoted `args`.

        Raises:
            GuestError: The command could not be run, or did not end in time.
        """
        line = self.get_command(command, *args)
        try:
            result = self._channel.run(line, timeout_s=self._timeout_s, as_root=isinstance(line, _RootCommand))
        except (ChannelLost, CommandTimeout) as error:
            self.lost = None if self._answers() else error
            raise error.because(self._condition() if self.lost else "") from error.__cause__
        return self.result(result.exit_status, self.encode(line), result.stdout, result.stderr)

    @property
    def lab_key(self) -> str:
        """The lab's public key, as `type blob`."""
        return self._channel.lab_key

    def try_login(self, user: str) -> tuple[tuple[str, ...], bool]:
        """Return the login methods that sshd offers the account.

        The second value: whether it accepts the lab's key.

        Raises:
            GuestError: No SSH server answered in time.
        """
        return self._channel.try_login(user, self._timeout_s)

    def _answers(self) -> bool:
        try:
            return self._channel.run("true", timeout_s=_ALIVE_CHECK_S).ok
        except GuestError:
            return False

    def get_encoding(self) -> str:
        """Return UTF-8; asking the guest's Python would cost up to a second."""
        return "UTF-8"

    def get_sudo_command(self, command: str, sudo_user: str | None) -> str:
        """Return a command line for root's shell or, with sudo, another account."""
        if not sudo_user:
            return _RootCommand(command)
        return str(self.quote("sudo -n -u %s /bin/sh -c %s", sudo_user, command))


def lab_host(
    channel: LabChannel, name: str, timeout_s: float, condition: Callable[[], str] = str
) -> testinfra.host.Host:
    """Return testinfra's host for one guest.

    Args:
        channel: A connected channel.
        name: Name of the machine in testinfra's output.
        timeout_s: Time limit of each command.
        condition: Called when the guest is silent; its result leads the error's first line.
    """
    backend = LabBackend(channel, name, timeout_s, condition)
    host = testinfra.host.Host(backend)
    backend.set_host(host)
    return host
