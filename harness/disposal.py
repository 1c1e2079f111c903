"""What becomes of the machines when a session ends: kept or removed, and until when they are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from harness.config.model import Keep
from harness.errors import HarnessError
from harness.lab import Lab


@dataclass(frozen=True)
class Disposal:
    """What was done.

    Attributes:
        reason: Why the machines that are left were kept.
        until: When they are no longer wanted: UTC, ISO 8601; empty where there is no end, or nothing is left.
        troubles: What could not be removed, as text.
    """

    reason: str = ""
    until: str = ""
    troubles: tuple[str, ...] = ()


def destroys(keep: Keep, *, green: bool) -> bool:
    """Return whether the machines of a run go: always for `never`, and after a green run for `on-failure`."""
    return keep is Keep.NEVER or (keep is Keep.ON_FAILURE and green)


def reason_of(keep: Keep) -> str:
    """Return why machines are left, for people."""
    if keep is Keep.ALWAYS:
        return "keep: always"
    if keep is Keep.ON_FAILURE:
        return "keep: on-failure, and the run is not green"
    return "it could not be removed"


def expiry(keep_for_s: int | None, now: datetime | None = None) -> str:
    """Return when machines that are kept from now on are no longer wanted; empty where there is no end."""
    if keep_for_s is None:
        return ""
    return ((now or datetime.now(UTC)) + timedelta(seconds=keep_for_s)).isoformat(timespec="seconds")


def expired(until: str, now: datetime | None = None) -> bool:
    """Return whether that time is over; an empty one never is."""
    return bool(until) and datetime.fromisoformat(until) <= (now or datetime.now(UTC))


def dispose(lab: Lab, keep: Keep, *, green: bool) -> Disposal:
    """Have the session's threads ended, its evidence collected, and its machines kept or gone."""
    removals = lab.close(destroy=destroys(keep, green=green))
    troubles = tuple(str(removal) for removal in removals if removal.error is not None)
    until = expiry(lab.shared.plan.spec.keep_for_s)
    if not lab.claimed():
        return Disposal(troubles=troubles)
    try:
        lab.shared.ledger.keep_until(until)
    except HarnessError as error:
        troubles = (*troubles, str(error))
    return Disposal(reason_of(keep), until, troubles)
