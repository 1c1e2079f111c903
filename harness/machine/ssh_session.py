"""The SSH session to one guest: login, check of the nonce, commands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from harness.config.plan import MachinePlan
from harness.core.deadline import Clock, Deadline
from harness.guest import nonce
from harness.guest.channel import AuthFailed, ChannelLost, CommandResult, CommandTimeout, ConnectFailed
from harness.guest.ssh import SshChannel, SshTarget
from harness.guest.watched import Watch
from harness.machine.console import Console
from harness.machine.journal import MachineJournal
from harness.machine.waiting import Waiting

_READY_LOGIN_S = 2.0  # between attempts once the guest has reported that sshd listens
_BLIND_LOGIN_S = 20.0  # between attempts without that event: each costs a booting guest seconds
# The longest that one attempt may take. It doubles with each attempt that was too slow: on a busy host the next one is
# as slow, and what the guest did for an attempt that is cut short is lost.
_LOGIN_S = 30.0
_LONGEST_LOGIN_S = 240.0
_UNANSWERED_S = 5.0  # an attempt that takes longer is reported
_VMRUN_S = 30.0  # the longest that `vmrun list` may take during a command


@dataclass(frozen=True)
class Guest:
    """The guest that has to answer.

    Attributes:
        plan: Has the nonce by which the guest is recognized.
        target: Its SSH address and key.
        command_s: The time limit of one command.
    """

    plan: MachinePlan
    target: SshTarget
    command_s: float


class SshSession:
    """The one SSH connection to a guest, renewed after each boot.

    The host key of the first login, or that of the seed, is pinned.

    Args:
        guest: The guest that has to answer.
        console: Reports when sshd listens, and which boots belong to this power-on.
        waiting: Ends `connect` early when the guest fails.
        journal: Where the state is written.
        clock: Measures the pause between two attempts.
        on_login: Called with the boot id and the channel after each login.
        open_channel: Makes the channel at the first attempt.
    """

    def __init__(
        self,
        guest: Guest,
        *,
        console: Console,
        waiting: Waiting,
        journal: MachineJournal,
        clock: Clock,
        on_login: Callable[[str, SshChannel], None],
        open_channel: Callable[[SshTarget, Clock, Watch], SshChannel] = SshChannel,
    ) -> None:
        self._guest = guest
        self._console = console
        self._waiting = waiting
        self._journal = journal
        self._clock = clock
        self._on_login = on_login
        self._open_channel = open_channel
        self._channel: SshChannel | None = None
        self._lock = threading.RLock()
        self._login_s = _LOGIN_S
        self._attempt_since: float | None = None

    def connect(self, deadline: Deadline, *, not_boot_id: str | None = None) -> None:
        """Log in to the guest.

        A guest that sends events is logged into once, when it reports that sshd listens; any other guest is tried
        at a modest rate. With `not_boot_id` only another boot is accepted.

        Raises:
            DeadlineExpired: No login succeeded in time.
            GuestError: Key or host key refused, another machine answered, or the guest failed.
        """
        next_try = 0.0

        def answer() -> bool | None:
            nonlocal next_try
            now = self._clock.monotonic()
            listens, booted = self._reported("ssh-ready", not_boot_id), self._reported("boot-complete", not_boot_id)
            ready = listens or booted
            if now < next_try or not (ready or self._console.silent):
                return None
            next_try = now + (_READY_LOGIN_S if ready else _BLIND_LOGIN_S)
            if self._try_login(deadline, not_boot_id):
                return True
            if booted and not listens:
                raise self._waiting.guest_error("the guest has booted, and its sshd does not answer")
            return None

        self._waiting.wait_for("an SSH login", answer, deadline)

    def _reported(self, event_name: str, not_boot_id: str | None) -> bool:
        event = self._console.last(event_name)
        return event is not None and event.boot_id != not_boot_id

    def _try_login(self, deadline: Deadline, not_boot_id: str | None) -> bool:
        plan = self._guest.plan
        channel = self._channel = self._channel or self._open_channel(self._guest.target, self._clock, self._watch)
        began = self._attempt_since = self._clock.monotonic()
        try:
            channel.connect(_within(deadline, self._login_s))
            reply = channel.run(nonce.NONCE_COMMAND, timeout_s=_within(deadline, self._login_s), as_root=True)
            answer = nonce.parse_reading(reply.stdout)
        except (ConnectFailed, AuthFailed, ChannelLost, CommandTimeout) as error:
            # A booting guest may lack account and key, and a busy one answers late: the deadline decides.
            if self._clock.monotonic() - began >= self._login_s / 2:
                self._login_s = min(2 * self._login_s, _LONGEST_LOGIN_S)
            self._journal.state(": ".join([error.what, *error.detail.splitlines()[:1]]))
            channel.close()
            return False
        finally:
            self._attempt_since = None
        if answer.nonce != plan.nonce:
            channel.close()
            raise nonce.another_machine_error(plan, self._guest.target, answer)
        if answer.boot_id in (not_boot_id, "") or not self._console.accepts_boot(answer.boot_id):
            before = answer.boot_id == not_boot_id
            self._journal.state("still the boot before the restart" if before else "a boot that sent no event")
            channel.close()
            return False
        self._journal.state("logged in by SSH")
        self._on_login(answer.boot_id, channel)
        return True

    def _watch(self) -> None:
        """Raise when the guest that is waited for can no longer answer."""
        since = self._attempt_since
        if since is not None and self._clock.monotonic() - since > _UNANSWERED_S:
            self._journal.state(f"no answer yet: {self._guest.target.where}")
        self._waiting.check_host("an answer by SSH", Deadline(_VMRUN_S, self._clock))

    @property
    def channel(self) -> SshChannel:
        """The channel to the guest, also where it has lost the connection.

        Raises:
            GuestError: No login was tried.
        """
        if self._channel is None:
            raise self._waiting.guest_error("no SSH connection to this machine")
        return self._channel

    @property
    def connected(self) -> bool:
        """Whether the connection of this boot is open."""
        return self._channel is not None and self._channel.connected

    def run(
        self, command: str, timeout_s: float | None = None, *, within: Deadline | None = None, as_root: bool = False
    ) -> CommandResult:
        """Run a shell command in the guest.

        Commands of several threads run one after the other.

            Args:
                command: A command line of `sh`.
                timeout_s: Its time limit; by default that of the lab file.
                within: The deadline of the wait that the command belongs to.
                as_root: Whether root runs it.

            Raises:
                GuestError: The guest cannot be asked, or does not answer in time.
        """
        with self._lock:
            own_s = timeout_s or self._guest.command_s
            limit_s = own_s if within is None else _within(within, own_s)
            self._waiting.begin()
            try:
                return self.channel.run(command, timeout_s=limit_s, as_root=as_root)
            except CommandTimeout as error:
                # The wait ended the command: a longer limit of the command would change nothing.
                if within is not None and limit_s < own_s:
                    error.remedy = self._waiting.remedy(within)
                raise

    def reconnect(self, deadline: Deadline) -> None:
        """Restore a lost connection of this boot.

        Raises:
            GuestError: There was none, or it does not come back.
        """
        if not self.channel.connected:
            self.channel.connect(max(1.0, deadline.remaining))

    def close(self) -> None:
        """Close the connection; the host key stays pinned."""
        if self._channel is not None:
            self._channel.close()


def _within(deadline: Deadline, limit_s: float) -> float:
    """Return a time limit within the deadline, at least a second."""
    return min(limit_s, max(1.0, deadline.remaining))
