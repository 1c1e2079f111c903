"""testinfra over the kept connection: its own SSH backends pin no host key and know no command deadline.

The only module that imports testinfra.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import testinfra.backend.base
import testinfra.host

from harness.core.errors import GuestError
from harness.guest.channel import ChannelLost, CommandTimeout, GuestChannel

# After a command that did not end: long enough for a guest that is only slow.
_SIGN_OF_LIFE_S = 5.0


class _RootLine(str):
    """A command line for root's shell."""

    __slots__ = ()


class LabBackend(testinfra.backend.base.BaseBackend):  # type: ignore[misc]  # testinfra ships no types
    """Every question of testinfra is one command of the channel, under one deadline.

    Attributes:
        lost: Why the guest does not answer any more; it is not asked again, as each question would wait in vain.
    """

    NAME = "lab"

    def __init__(self, channel: GuestChannel, name: str, timeout_s: float, condition: Callable[[], str]) -> None:
        super().__init__(name)
        self.lost: GuestError | None = None
        self._channel = channel
        self._timeout_s = timeout_s
        self._condition = condition

    def run(self, command: str, *args: str, **_: Any) -> Any:
        """Return testinfra's result of a command; `%s` in it are replaced by the quoted `args`.

        Raises:
            GuestError: The guest could not be asked, or did not answer in time.
        """
        line = self.get_command(command, *args)
        try:
            answer = self._channel.run(line, timeout_s=self._timeout_s, as_root=isinstance(line, _RootLine))
        except (ChannelLost, CommandTimeout) as error:
            self.lost = None if self._answers() else error
            raise error.because(self._condition() if self.lost else "") from error.__cause__
        return self.result(answer.exit_status, self.encode(line), answer.stdout, answer.stderr)

    def _answers(self) -> bool:
        try:
            return self._channel.run("true", timeout_s=_SIGN_OF_LIFE_S).ok
        except GuestError:
            return False

    def get_encoding(self) -> str:
        """Return UTF-8, without asking the guest's Python for it, which costs a booted guest up to a second."""
        return "UTF-8"

    def get_sudo_command(self, command: str, sudo_user: str | None) -> str:
        """Return a command line for root's kept shell, or for another account; sudo never asks for a password."""
        if not sudo_user:
            return _RootLine(command)
        return str(self.quote("sudo -n -u %s /bin/sh -c %s", sudo_user, command))


def lab_host(
    channel: GuestChannel, name: str, timeout_s: float, condition: Callable[[], str] = str
) -> testinfra.host.Host:
    """Return testinfra's host for one guest.

    Args:
        channel: A channel that is connected.
        name: The machine, as testinfra shows it.
        timeout_s: Deadline of each single command.
        condition: Asked why the guest is silent, when it is; its answer leads the error's first line.
    """
    backend = LabBackend(channel, name, timeout_s, condition)
    host = testinfra.host.Host(backend)
    backend.set_host(host)
    return host
