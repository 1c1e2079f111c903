"""Waits for a guest that end early when waiting on is useless."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from harness.core.deadline import Clock, Deadline, Pending, wait_until
from harness.core.errors import DeadlineExpired, GuestError, HostError
from harness.core.files import read_end
from harness.core.text import decode
from harness.guest.diagnosis import Diagnosis, Source, diagnose
from harness.machine.console import Console
from harness.machine.journal import MachineJournal
from harness.machine.screen import Screen

T = TypeVar("T")

# `vmrun list` is asked this often during a wait: the wait ends when the VM has gone off.
_POWER_CHECK_S = 8.0
# The hypervisor's log is read this often during a wait, up to this many bytes of its end.
_LOG_CHECK_S = 5.0
_LOG_BYTES = 1 << 18
_EVIDENCE_LINES = 12


class Waiting:
    """Waits for one guest.

    Args:
        name: The machine's name in the lab file.
        console: Its events are followed during a wait.
        journal: Has the last state, for the error of an expired wait.
        is_running: Asks `vmrun list` whether the VM runs.
        clock: Decides when `is_running` is asked again.
        hypervisor_log: The log of the VM's power-on; it is searched for fatal causes.
        screen: Looked at while the serial port says nothing.
    """

    def __init__(
        self,
        name: str,
        console: Console,
        journal: MachineJournal,
        is_running: Callable[[Deadline], bool],
        clock: Clock,
        *,
        hypervisor_log: Path | None = None,
        screen: Screen | None = None,
    ) -> None:
        self._screen = screen
        self._hypervisor_log = hypervisor_log
        self._next_look = 0.0
        self._next_power_check = 0.0
        self._searched_text = ""
        self._diagnosis: Diagnosis | None = None
        self._name = name
        self._console = console
        self._journal = journal
        self._is_running = is_running
        self._clock = clock

    def wait_for(self, what: str, answer: Callable[[], T | None], deadline: Deadline, *, interval_s: float = 0.25) -> T:
        """Return the first answer that is not None.

        An answer that runs commands in the guest passes them `deadline`.

        Raises:
            DeadlineExpired: With the last state of this machine.
            GuestError: The guest failed, or the VM is no longer running.
            HostError: The host failed: its disk is full, or a process of the hypervisor ended.
        """
        self.begin()

        def probe(left: Deadline) -> T | Pending:
            self._console.listen()
            value = answer()
            if value is not None:
                return value
            self.fail_early()
            self._check_power(what, left)
            return Pending(self._last_seen())

        self._journal.waiting(what, deadline.seconds)
        try:
            found = wait_until(probe, deadline, what=what, where=self._name, interval_s=interval_s)
        except DeadlineExpired as error:
            error.remedy, error.evidence = self.remedy(deadline), tuple(self._evidence())
            raise
        self._journal.waiting("")
        return found

    def _last_seen(self) -> str:
        """Return the last state, and where the screen shows more."""
        seen = self._screen.seen if self._screen is not None else ""
        return f"{self._journal.last_state}; {seen}" if seen else self._journal.last_state

    def _evidence(self) -> list[str]:
        log, screen = self._console.log, self._screen
        files = [str(log)] if log is not None and self._console.text else []
        return [*files, str(screen.picture)] if screen is not None and screen.seen else files

    def remedy(self, deadline: Deadline) -> str:
        """Return what to do about an expired deadline."""
        steps = [self._read_console()]
        if deadline.setting:
            limit = f"`{deadline.setting}` in the lab file ({deadline.seconds:.0f} s now)"
            steps.append(f"if the guest was still at work, raise {limit}, then run again with `--resume`")
        return "; ".join(steps)

    def _read_console(self) -> str:
        log = self._console.log
        if log is None:
            return "power on the machine: it has no console yet"
        if not self._console.mute:
            return f"read the console: {log}"
        screen = self._screen
        look = f"look at the screen: {screen.picture}" if screen is not None and screen.seen else "look at its window"
        return f"{look} (nothing came on the serial port: add `console=ttyS0,115200` to the ISO's boot line)"

    def fail_early(self) -> None:
        """Raise when the console shows that the guest cannot get any further.

        Raises:
            GuestError: With the console's last lines, or the line of the hypervisor's log.
            HostError: The hypervisor's log shows that the host failed.
        """
        found = self._console.failure()
        if found is not None:
            raise self.guest_error(found.cause, found.remedy)
        self._check_log()
        if self._screen is not None:
            self._screen.look()

    def begin(self) -> None:
        """Begin a wait or a command: `vmrun list` is asked later."""
        self._next_power_check = self._clock.monotonic() + _POWER_CHECK_S

    def check_host(self, what: str, deadline: Deadline) -> None:
        """Raise when the guest can no longer answer.

        Its process, its network or its disk failed. The console does not count: a guest with errors may still answer.
        Safe in another thread than `wait_for`.

        Raises:
            GuestError: The VM is no longer running.
            HostError: The host failed.
        """
        self._check_log()
        self._check_power(what, deadline)
        if self._screen is not None:
            self._screen.look()

    def _check_power(self, what: str, deadline: Deadline) -> None:
        if self._clock.monotonic() < self._next_power_check:
            return
        self._next_power_check = self._clock.monotonic() + _POWER_CHECK_S
        if not self._is_running(deadline):
            self._next_look = 0.0
            self._check_log()  # which knows why
            raise self.guest_error(f"the machine went off while waiting for {what}")

    def _check_log(self) -> None:
        """Raise when the hypervisor's log, new at each power-on, is fatal."""
        log = self._hypervisor_log
        if log is None:
            return
        if self._clock.monotonic() >= self._next_look:
            self._next_look = self._clock.monotonic() + _LOG_CHECK_S
            text = _end_of(log)
            if text != self._searched_text:
                self._diagnosis = diagnose(text, Source.HYPERVISOR)
                self._searched_text = text
        found = self._diagnosis
        if found is None or not found.fatal:
            return
        kind = HostError if found.host else GuestError
        cause = f"{found.source.shown} says: {found.cause}"
        raise kind(cause, where=self._name, detail=found.line, remedy=found.remedy, evidence=[str(log)])

    def guest_error(self, what: str, remedy: str = "") -> GuestError:
        """Return an error with this machine's console as evidence."""
        tail = self._console.tail(_EVIDENCE_LINES)
        detail, evidence = tail or self._last_seen(), self._evidence()
        return GuestError(
            what, where=self._name, detail=detail, remedy=remedy or self._read_console(), evidence=evidence
        )


def _end_of(log: Path) -> str:
    """Return the end of a log; empty where it cannot be read."""
    try:
        return decode(read_end(log, _LOG_BYTES))
    except OSError:
        return ""
