"""testinfra over the kept connection: its own SSH backends pin no host key and know no command deadline.

The only module that imports testinfra.
"""

from __future__ import annotations

from typing import Any

import testinfra.backend.base
import testinfra.host

from harness.guest.channel import GuestChannel


class _RootLine(str):
    """A command line for root's shell."""

    __slots__ = ()


class LabBackend(testinfra.backend.base.BaseBackend):  # type: ignore[misc]  # testinfra ships no types
    """Every question of testinfra is one command of the channel, under one deadline."""

    NAME = "lab"

    def __init__(self, channel: GuestChannel, name: str, timeout_s: float) -> None:
        super().__init__(name)
        self._channel = channel
        self._timeout_s = timeout_s

    def run(self, command: str, *args: str, **_: Any) -> Any:
        """Return testinfra's result of a command; `%s` in it are replaced by the quoted `args`.

        Raises:
            GuestError: The guest could not be asked, or did not answer in time.
        """
        line = self.get_command(command, *args)
        answer = self._channel.run(line, timeout_s=self._timeout_s, as_root=isinstance(line, _RootLine))
        return self.result(answer.exit_status, self.encode(line), answer.stdout, answer.stderr)

    def get_encoding(self) -> str:
        """Return UTF-8, without asking the guest's Python for it, which costs a booted guest up to a second."""
        return "UTF-8"

    def get_sudo_command(self, command: str, sudo_user: str | None) -> str:
        """Return a command line for root's kept shell, or for another account; sudo never asks for a password."""
        if not sudo_user:
            return _RootLine(command)
        return str(self.quote("sudo -n -u %s /bin/sh -c %s", sudo_user, command))


def lab_host(channel: GuestChannel, name: str, timeout_s: float) -> testinfra.host.Host:
    """Return testinfra's host for one guest.

    Args:
        channel: A channel that is connected.
        name: The machine, as testinfra shows it.
        timeout_s: Deadline of each single command.
    """
    backend = LabBackend(channel, name, timeout_s)
    host = testinfra.host.Host(backend)
    backend.set_host(host)
    return host
