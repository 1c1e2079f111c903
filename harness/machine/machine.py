"""One virtual machine of the lab: its plan, its driver, its one connection. Power is always asked, never remembered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from harness.config.plan import MachinePlan
from harness.core.deadline import Deadline, Pending, wait_until
from harness.core.errors import GuestError
from harness.guest import nonce
from harness.guest.channel import AuthFailed, ChannelLost, CommandResult, CommandTimeout, ConnectFailed
from harness.guest.console_log import ConsoleLog
from harness.guest.power_on_log import PowerOnLog
from harness.guest.serial import GuestEvent, SerialFollower
from harness.guest.ssh import SshChannel
from harness.machine.context import RunContext
from harness.results.journal_events import STARTED
from harness.seed.model import IsoInfo
from harness.vmrun import Display

_BLIND_LOGIN_S = 20.0  # without events SSH itself is tried this often: a login costs a booting guest seconds
_SILENCE_S = 300.0  # a guest that sends events is tried so only after a long silence
_POWER_CHECK_S = 15.0  # how often `vmrun list` is asked during a wait: a machine that is gone ends it at once
_SOFT_SHARE = 0.75  # of a power-off's deadline: for the guest to shut down by itself; the rest is for cutting its power


class Machine:
    """A machine of the lab while a session works on it.

    Attributes:
        facts: What the run learnt of the machine and the report shows (boot ids, logins, host key, …).
    """

    def __init__(self, context: RunContext, plan: MachinePlan, iso: IsoInfo | None) -> None:
        self.context = context
        self.plan = plan
        self.iso = iso
        self.facts: dict[str, object] = {}
        self.boot: PowerOnLog | None = None
        self._channel: SshChannel | None = None
        self._channel_lock = threading.RLock()
        self._state = ""
        self._within: Deadline | None = None

    @property
    def name(self) -> str:
        """The machine's name in the lab file."""
        return self.plan.name

    @property
    def sends_events(self) -> bool:
        """Whether its seed was built to report on the serial line."""
        return self.iso is not None and self.iso.events

    def deadline(self, seconds: float) -> Deadline:
        """Return a deadline on the host's clock."""
        return Deadline(seconds, self.context.clock)

    def saw(self, text: str) -> None:
        """Note the last thing seen, once for each change."""
        if text != self._state:
            self._state = text
            self.context.journal.write("state", self.name, text=text)

    @property
    def last_seen(self) -> str:
        """The last thing seen of this machine."""
        return self._state or "nothing yet"

    @property
    def silent(self) -> bool:
        """Whether its console tells nothing: by its seed, or for so long that something is wrong with it."""
        return not self.sends_events or (self.boot is not None and self.boot.silence_s > _SILENCE_S)

    def is_running(self, deadline: Deadline | None = None) -> bool:
        """Return whether `vmrun list` has the machine, asked now."""
        return self.context.vmrun.is_running(self.plan.files.vmx, deadline)

    def power_on(self, number: int, deadline: Deadline) -> None:
        """Have the machine started for the `number`-th time; a log that an interrupted run left is set aside."""
        if self.plan.files.serial(number).exists() and not self.is_running(deadline):
            self.plan.files.set_aside(number)
        self.follow(number)
        self.saw(STARTED)
        display = Display(self.context.plan.spec.hypervisor.display)
        self.context.vmrun.start(self.plan.files.vmx, display, deadline=deadline)

    def follow(self, number: int) -> None:
        """Have the console of that power-on followed from its start."""
        self.end_boot()
        serial = self.plan.files.serial(number)
        record = ConsoleLog(self.context.run.machine(self.name) / serial.name, self.context.journal.now)
        follower = SerialFollower(serial, self.plan.nonce, self.context.clock, record.take)
        self.boot = PowerOnLog(number, follower, self.context.clock, self._hear)

    def end_boot(self) -> None:
        """Have the rest of the console taken, and noted whether another machine wrote to it; nothing more will come."""
        if self.boot is None:
            return
        self.boot.finish()
        for text in self.boot.foreign_events:
            self.context.journal.write("note", self.name, text=text)

    def power_off(self, deadline: Deadline) -> None:
        """Have the machine off and its locks gone: asked politely first, then cut."""
        self.disconnect()
        self.context.vmrun.stop_and_verify(self.plan.files.vmx, deadline, soft_s=deadline.seconds * _SOFT_SHARE)
        self.saw("powered off")

    def cut_power(self, deadline: Deadline) -> None:
        """Have the machine off and its locks gone, as by pulling the plug: the guest is not asked."""
        self.disconnect()
        self.context.vmrun.stop_and_verify(self.plan.files.vmx, deadline, soft_s=0)
        self.saw("power cut")

    def listen(self) -> None:
        """Take what the console has to tell; safe from several threads."""
        if self.boot is not None:
            self.boot.poll()

    def _hear(self, event: GuestEvent) -> None:
        told = {"event": event.event, "boot_id": event.boot_id, "fields": dict(event.fields)}
        self.context.journal.write("guest-event", self.name, **told)
        self.saw(str(event))

    def fail_early(self) -> None:
        """Raise when waiting on is useless.

        Raises:
            GuestError: With the console's last lines.
        """
        found = self.boot.fatal_diagnosis() if self.boot else None
        if found is not None:
            raise self.guest_error(found.cause, found.remedy)

    def guest_error(
        self, what: str, remedy: str = "read the serial log; `lab ssh` where the guest still answers"
    ) -> GuestError:
        """Return an error with this machine's console as evidence."""
        tail = self.boot.follower.tail(12) if self.boot else ""
        logs = [str(self.plan.files.serial(self.boot.number))] if self.boot else []
        return GuestError(what, where=self.name, said=tail or self.last_seen, remedy=remedy, evidence=logs)

    def wait_for(
        self, what: str, answer: Callable[[], object | None], deadline: Deadline, *, interval_s: float = 0.25
    ) -> object:
        """Return the first answer that is not None; events are followed while waiting, and hopeless waits end early.

        Raises:
            DeadlineExpired: With the last thing seen of this machine.
            GuestError: The guest failed, or the machine is no longer running.
        """
        next_power_check = self.context.clock.monotonic() + _POWER_CHECK_S
        self._within = deadline

        def probe(left: Deadline) -> object | Pending:
            nonlocal next_power_check
            self.listen()
            value = answer()
            if value is not None:
                return value
            self.fail_early()
            if self.context.clock.monotonic() >= next_power_check:
                if not self.is_running(left):
                    raise self.guest_error(f"the machine went off while waiting for {what}")
                next_power_check = self.context.clock.monotonic() + _POWER_CHECK_S
            return Pending(self.last_seen)

        try:
            return wait_until(
                probe, deadline, what=what, where=self.name, interval_s=interval_s, remedy="read the serial log"
            )
        finally:
            self._within = None

    def connect(self, deadline: Deadline, *, not_boot_id: str | None = None) -> None:
        """Have the one SSH connection of this boot.

        A guest that sends events is logged into once, when it says that sshd listens; any other guest is tried at
        a modest pace. With `not_boot_id` only a boot with another id counts as the boot that is waited for.

        Raises:
            DeadlineExpired: Nobody answered in time.
            GuestError: Key or host key refused, or the guest failed.
        """
        next_try = 0.0

        def answer() -> bool | None:
            nonlocal next_try
            now = self.context.clock.monotonic()
            listens, booted = self._told("ssh-ready", not_boot_id), self._told("boot-complete", not_boot_id)
            ready = listens or booted
            if now < next_try or not (ready or self.silent):
                return None
            next_try = now + (2.0 if ready else _BLIND_LOGIN_S)
            if self._try_login(deadline, not_boot_id):
                return True
            if booted and not listens:
                raise self.guest_error("the guest has booted, and its sshd does not answer")
            return None

        self.wait_for("an SSH login", answer, deadline)

    def _told(self, what: str, not_boot_id: str | None) -> bool:
        event = self.boot.last(what) if self.boot else None
        return event is not None and event.boot_id != not_boot_id

    def _try_login(self, deadline: Deadline, not_boot_id: str | None) -> bool:
        pinned = self.iso.host_key if self.iso else None
        channel = self._channel or SshChannel(
            nonce.ssh_target(self.context.plan, self.plan, pinned), self.context.clock
        )
        self._channel = channel
        try:
            channel.connect(min(30.0, max(1.0, deadline.remaining)))
            box_s = min(30.0, max(1.0, deadline.remaining))
            who = nonce.parse_reading(channel.run(nonce.NONCE_COMMAND, timeout_s=box_s, as_root=True).stdout)
        except (ConnectFailed, AuthFailed, ChannelLost, CommandTimeout) as error:
            # While it boots, account and key may not exist yet, and a busy guest answers late; the deadline decides.
            self.saw(": ".join([error.what, *error.said.splitlines()[:1]]))
            channel.close()
            return False
        if who.nonce != self.plan.nonce:
            channel.close()
            raise nonce.another_machine_error(self.plan, who)
        if who.boot_id in (not_boot_id, "") or not (self.boot is None or self.boot.accepts_boot(who.boot_id)):
            self.saw("still the boot before the restart" if who.boot_id == not_boot_id else "not the boot that spoke")
            channel.close()
            return False
        self.saw("logged in by SSH")
        self.has_booted(who.boot_id, ssh_logins=channel.logins, host_key=channel.host_key)
        return True

    def has_booted(self, boot_id: str, **facts: object) -> None:
        """Have that boot in the machine's facts: it was logged into, or told its end on the serial line."""
        self.learn({"boot_ids": [*self.boot_ids, boot_id], **facts})

    def learn(self, facts: Mapping[str, object]) -> None:
        """Have these in the machine's facts and in the journal."""
        self.facts |= facts
        self.context.journal.write("machine-facts", self.name, facts=dict(facts))

    @property
    def boot_ids(self) -> list[str]:
        """The boot ids that were logged into or told their end, oldest first."""
        known = self.facts.get("boot_ids", [])
        return [str(item) for item in known] if isinstance(known, list) else []

    @property
    def channel(self) -> SshChannel:
        """The open connection.

        Raises:
            GuestError: There is none.
        """
        if self._channel is None:
            raise self.guest_error("no SSH connection to this machine")
        return self._channel

    @property
    def connected(self) -> bool:
        """Whether the connection of this boot is open."""
        return self._channel is not None and self._channel.connected

    def run(self, command: str, timeout_s: float | None = None, *, as_root: bool = False) -> CommandResult:
        """Return what a shell command in the guest said; one question at a time per machine.

        A question that is part of a wait ends no later than the wait.
        """
        with self._channel_lock:
            limit = timeout_s or self.context.plan.spec.deadlines_s.guest_command
            if self._within is not None:
                limit = min(limit, max(1.0, self._within.remaining))
            return self.channel.run(command, timeout_s=limit, as_root=as_root)

    def log_in_again(self, deadline: Deadline) -> None:
        """Have the connection of this boot open, where it was lost; a guest that never let us in is not tried.

        Raises:
            GuestError: There was none, or it does not come back.
        """
        if not self.channel.connected:
            self.channel.connect(max(1.0, deadline.remaining))

    def forget(self) -> None:
        """Know nothing of the guest any more: what comes next is another installation."""
        self.disconnect()
        self._channel = self.boot = None
        self.facts.clear()

    def disconnect(self) -> None:
        """Close the connection of this boot; the pinned host key is kept for the next."""
        if self._channel is not None:
            self._channel.close()
