"""Deadlines. The only place of the harness that sleeps.

A wait is a deadline, a probe and a reason: the probe answers with a value, or with `Pending(reason)`. The text
of an expired wait is the last reason. The deadline is handed into every attempt, so that one slow attempt cannot
outlive it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from harness.core.errors import DeadlineExpired, HarnessError

T = TypeVar("T")


class Clock(Protocol):
    """Monotonic time in seconds, and sleeping."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""


class SystemClock:
    """The real clock."""

    def monotonic(self) -> float:
        """Return `time.monotonic()`."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep for real."""
        time.sleep(seconds)


class Cancelled(HarnessError):
    """The session ends; a wait in another thread ends with it."""


class SessionClock(SystemClock):
    """The real clock, whose sleeps end when the session does."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def cancel(self) -> None:
        """End every sleep, now and later, with `Cancelled`."""
        self._ended.set()

    def resume(self) -> None:
        """Let sleeps sleep again, for the work that ends a session."""
        self._ended.clear()

    @property
    def cancelled(self) -> bool:
        """Whether the session is ending."""
        return self._ended.is_set()

    def sleep(self, seconds: float) -> None:
        """Sleep, or raise `Cancelled`."""
        if self._ended.wait(seconds):
            raise Cancelled("the session was ended", remedy="")


SYSTEM_CLOCK = SystemClock()


@dataclass(frozen=True)
class Pending:
    """Not there yet, and why: the text becomes the last thing seen."""

    reason: str


@dataclass(frozen=True)
class Deadline:
    """A point in time, passed into every step of the work.

    Attributes:
        setting: The key of the lab file that sets it, e.g. `deadlines_s.boot`; empty without one.
    """

    seconds: float
    clock: Clock = SYSTEM_CLOCK
    started: float = field(default=-1.0)
    setting: str = ""

    def __post_init__(self) -> None:
        if self.started < 0:
            object.__setattr__(self, "started", self.clock.monotonic())

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self.clock.monotonic() - self.started

    @property
    def remaining(self) -> float:
        """Seconds that are left, never negative."""
        return max(0.0, self.seconds - self.elapsed)

    @property
    def expired(self) -> bool:
        """Whether nothing is left."""
        return self.remaining <= 0

    def at_most(self, seconds: float) -> Deadline:
        """Return a deadline from now that ends no later than this one."""
        return Deadline(min(seconds, self.remaining), self.clock, setting=self.setting)


def wait_until(
    probe: Callable[[Deadline], T | Pending],
    deadline: Deadline,
    *,
    what: str,
    where: str = "",
    remedy: str = "",
    evidence: Sequence[str] = (),
    interval_s: float = 0.5,
) -> T:
    """Return the first answer of `probe` that is not `Pending`.

    The probe is asked at least once, and once more after the last sleep. An exception of the probe ends the wait:
    a probe that wants to go on returns `Pending`.

    Args:
        probe: Called with the deadline; its own work has to end within it.
        deadline: When to give up.
        what: What is waited for, for the error text.
        where: The machine or file concerned.
        remedy: What the reader can do when the wait fails.
        evidence: Files that show more.
        interval_s: Pause between two attempts, in seconds.

    Raises:
        DeadlineExpired: With the last reason as `last_seen`.
    """
    while True:
        answer = probe(deadline)
        if not isinstance(answer, Pending):
            return answer
        if deadline.expired:
            raise DeadlineExpired(
                f"{what}: not within {deadline.seconds:.0f} s",
                remedy=remedy,
                last_seen=answer.reason,
                where=where,
                evidence=evidence,
            )
        deadline.clock.sleep(min(interval_s, deadline.remaining))
