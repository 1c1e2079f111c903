"""SSH access to a guest: one connection, two persistent shells."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from harness.core.errors import GuestError
from harness.guest.channel import ChannelLost, CommandResult, CommandTimeout, NoRoot, OutputTooLarge, brief, output_tail
from harness.guest.persistent_shell import OutputLimitExceeded, PersistentShell, ShellEnded, abort_at
from harness.guest.shell_protocol import FrameReader
from harness.guest.ssh_connection import SshTarget, connection_errors, disconnect, normal_key
from harness.guest.ssh_login import log_in, public_key, start_sh, try_login
from harness.guest.ssh_stream import Stream, open_stream
from harness.guest.watched import Watch, watched

if TYPE_CHECKING:
    from harness.guest.ssh_connection import Transport

__all__ = ["SshChannel", "SshTarget"]

# Both streams of one command together.
MAX_OUTPUT_BYTES = 64 << 20
# Closing an abandoned shell may block on a peer that does not read.
_CLOSE_S = 2.0


class SshChannel:
    """SSH channel to one guest. Only `connect()` connects.

    A lost connection is not renewed silently.

    Args:
        target: The address and account.
        clock: Measures the time limits.
        watch: Called once a second while the guest is waited for; its error ends the wait.

    Attributes:
        target: The address and account.
        logins: Successful logins so far.
        host_key: `type blob`: the pinned key, or the first one that was seen.
    """

    def __init__(
        self,
        target: SshTarget,
        clock: Clock = SYSTEM_CLOCK,
        watch: Watch | None = None,
        *,
        max_output_bytes: int = MAX_OUTPUT_BYTES,
        close_s: float = _CLOSE_S,
    ) -> None:
        self.target = target
        self.logins = 0
        self.host_key = normal_key(target.host_key) if target.host_key else None
        self._clock = clock
        self._watch = watch
        self._max_output_bytes = max_output_bytes
        self._close_s = close_s
        self._busy = threading.Lock()
        self._transport: Transport | None = None
        # Keyed by `as_root`.
        self._shells: dict[bool, PersistentShell] = {}
        self._left_behind: dict[bool, int] = {}

    @property
    def connected(self) -> bool:
        """Whether the connection is not known to be lost.

        A frozen guest counts as connected.
        """
        return self._transport is not None and self._transport.is_active()

    def connect(self, timeout_s: float) -> None:
        """Close an earlier connection and log in.

        Raises:
            ConnectFailed: No SSH server answered in time; a retry is right.
            AuthFailed: The key was rejected.
            HostKeyMismatch: Another machine answered.
            HostError: The private key cannot be read.
            HarnessError: That of `watch`.
        """
        self.close()
        deadline = Deadline(timeout_s, self._clock)
        self._transport, self.host_key = log_in(self.target, self.host_key, deadline, self._watch)
        self.logins += 1

    @property
    def lab_key(self) -> str:
        """The lab's public key, as `type blob`."""
        return public_key(self.target)

    def try_login(self, user: str, timeout_s: float) -> tuple[tuple[str, ...], bool]:
        """Try to log in to another account, over a connection of its own.

        Returns:
            The methods that sshd offers, and whether it accepts the lab's key.

        Raises:
            ConnectFailed: No SSH server answered in time.
            HostKeyMismatch: Another machine answered.
        """
        return try_login(replace(self.target, user=user), self.host_key, Deadline(timeout_s, self._clock))

    def run(self, command: str, *, timeout_s: float, stdin: str = "", as_root: bool = False) -> CommandResult:
        """Run a command line in its own `sh`; see `GuestChannel.run`.

        Raises:
            NoRoot: sudo does not let the account become root.
            CommandTimeout: It did not end in time; the next command kills it first.
            ChannelLost: Not connected, or the connection or the shell ended.
            OutputTooLarge: More than 64 MiB of output.
            ValueError: A NUL in the command, or more than 128 KiB of it.
            HarnessError: That of `watch`.
        """
        started, transport = self._clock.monotonic(), self._transport
        with watched(self._watch, lambda: disconnect(transport)):
            output = self._exchange(command, stdin, timeout_s, self._max_output_bytes, as_root=as_root)
        duration = self._clock.monotonic() - started
        return CommandResult(command, output.exit_status, _text(output.stdout), _text(output.stderr), duration)

    def open_stream(self, address: str, port: int, timeout_s: float) -> Stream:
        """Connect from the guest to an address of its network; return the stream.

        Raises:
            ChannelLost: Not connected, or the guest does not connect.
        """
        transport = self._transport
        if transport is None:
            raise ChannelLost("not connected", where=self.target.where, remedy="connect again")
        return open_stream(transport, address, port, timeout_s)

    def close(self) -> None:
        """Close the shells and the connection.

        Safe to call twice and from another thread.
        """
        shells, transport = self._shells, self._transport
        self._shells, self._transport, self._left_behind = {}, None, {}
        disconnect(transport)
        for shell in shells.values():
            shell.close()

    def _exchange(self, command: str, stdin: str, timeout_s: float, limit_bytes: int, *, as_root: bool) -> FrameReader:
        deadline = Deadline(timeout_s, self._clock)
        if not self._busy.acquire(timeout=max(0.0, timeout_s)):
            raise CommandTimeout(
                command, where=self.target.where, timeout_s=timeout_s, stderr="another command is running"
            )
        try:
            shell = self._shells.get(as_root) or self._open_shell(command, deadline, as_root=as_root)
            output = shell.exchange(command, stdin, deadline, limit_bytes)
            if output.done:
                return output
            self._abandon(as_root=as_root)
            out, err = _text(output.stdout), _text(output.stderr)
            raise CommandTimeout(command, where=self.target.where, timeout_s=timeout_s, stdout=out, stderr=err)
        except ShellEnded as ended:
            raise self._lost(command, ended.args[0], as_root=as_root) from ended
        except OutputLimitExceeded as error:
            self._abandon(as_root=as_root)
            raise OutputTooLarge(
                f"`{brief(command)}` printed more than {limit_bytes >> 20} MiB and was aborted",
                where=self.target.where,
                remedy="limit the output of the command, for example with `tail -c`",
            ) from error
        finally:
            self._busy.release()

    def _open_shell(self, command: str, deadline: Deadline, *, as_root: bool) -> PersistentShell:
        transport = self._transport
        if transport is None:
            raise self._lost(command, None, as_root=as_root)
        try:
            channel = start_sh(transport, deadline, as_root=as_root)
        except EOFError as error:
            if not (deadline.expired and transport.is_active()):
                raise self._lost(command, None, str(error), as_root=as_root) from error
            reason = f"the guest did not start a shell: {error}"
            raise CommandTimeout(command, where=self.target.where, timeout_s=deadline.seconds, stderr=reason) from error
        shell = PersistentShell(channel, lambda: disconnect(transport), connection_errors())
        self._shells[as_root] = shell
        left_behind = self._left_behind.pop(as_root, None)
        if left_behind is not None:
            shell.clean_up_after(left_behind)
        return shell

    def _abandon(self, *, as_root: bool) -> None:
        transport = self._transport
        shell = self._shells.pop(as_root, None)
        if shell is not None:
            if shell.pid is not None:
                self._left_behind[as_root] = shell.pid
            with abort_at(Deadline(self._close_s), lambda: disconnect(transport)):
                shell.close()

    def _lost(self, command: str, output: FrameReader | None, reason: str = "", *, as_root: bool) -> GuestError:
        printed = output_tail(_text(output.stdout), _text(output.stderr)) if output else reason
        if as_root and output is not None and output.shell_pid is None and self.connected:
            self._abandon(as_root=True)
            return NoRoot(
                f"`{self.target.user}` may not become root without a password",
                where=self.target.where,
                detail=printed or "sudo ended without output",
                remedy="give the account `sudo: ALL=(ALL) NOPASSWD:ALL` in your own seed, as the lab's seeds do",
            )
        if self._transport is None and output is None:
            what = f"not connected, so `{brief(command)}` was not run"
        elif self._transport is None or not self._transport.is_active():
            what = f"the connection ended while `{brief(command)}` was running"
            self.close()
        else:
            what = f"the shell ended while `{brief(command)}` was running"
            self._abandon(as_root=as_root)
        return ChannelLost(
            what, where=self.target.where, detail=printed, remedy="connect again, then check what was done"
        )


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
