"""What becomes of the machines when a session ends: kept or removed, and until when they are wanted."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from harness.config.model import Keep
from harness.core.best_effort import run_and_collect_error
from harness.core.errors import HarnessError
from harness.lab.lab import Lab
from harness.lab.selection import Selection, ledger_of
from harness.lab.usage import MachineUse


@dataclass(frozen=True)
class Disposal:
    """What was done.

    Attributes:
        reasons: Why each machine that is left was kept, by name.
        until: When they are no longer wanted: UTC, ISO 8601; empty where there is no end, or nothing is left.
        troubles: What could not be done, as text.
    """

    reasons: Mapping[str, str] = field(default_factory=dict)
    until: str = ""
    troubles: tuple[str, ...] = ()


def destroys(keep: Keep, *, green: bool) -> tuple[MachineUse, ...]:
    """Return which machines of a run go: for `never` all that it worked on, for `on-failure` what a green one built.

    A machine that it did not work on stays whatever `keep` says.
    """
    if keep is Keep.NEVER:
        return (MachineUse.BUILT, MachineUse.REUSED)
    return (MachineUse.BUILT,) if keep is Keep.ON_FAILURE and green else ()


def reason_of(keep: Keep, use: MachineUse | None, *, green: bool) -> str:
    """Return why a machine is left, for people."""
    if use is None:
        return "this run did not touch it"
    if use in destroys(keep, green=green):
        return "it could not be removed"
    if keep is Keep.ALWAYS:
        return "keep: always"
    return f"keep: on-failure, and {'an earlier run built it' if green else 'the run is not green'}"


def expiry(keep_for_s: int | None, now: datetime | None = None) -> str:
    """Return when machines that are kept from now on are no longer wanted; empty where there is no end."""
    if keep_for_s is None:
        return ""
    return ((now or datetime.now(UTC)) + timedelta(seconds=keep_for_s)).isoformat(timespec="seconds")


def extended(known: str, fresh: str) -> str:
    """Return the later of two such times: what was said of a machine that a run left alone is not taken back."""
    return max(known, fresh, key=datetime.fromisoformat) if known and fresh else ""


def expired(until: str, now: datetime | None = None) -> bool:
    """Return whether that time is over; an empty one never is."""
    return bool(until) and datetime.fromisoformat(until) <= (now or datetime.now(UTC))


def dispose(lab: Lab, keep: Keep, *, green: bool) -> Disposal:
    """Have the session's threads ended, its evidence collected, and its machines kept or gone; never raises.

    The time until which machines are kept is the lab's: it begins anew where one stays that this run worked on, and
    becomes no shorter where another one stays, too.
    """
    troubles = lab.close(remove=destroys(keep, green=green))
    uses = {machine.name: lab.use_of(machine.name) for machine in lab.claimed()}
    ledger = lab.context.ledger
    until = _until(lab) if uses else ""
    if any(uses.values()):
        fresh = expiry(lab.context.plan.spec.keep_for_s)
        until = fresh if all(uses.values()) else extended(until, fresh)
        troubles += run_and_collect_error("the ledger", lambda: ledger.keep_until(until))
    reasons = {name: reason_of(keep, use, green=green) for name, use in uses.items()}
    return Disposal(reasons, until, tuple(troubles))


def _until(lab: Lab) -> str:
    with contextlib.suppress(HarnessError):
        return lab.context.ledger.read().kept_until
    return ""


def overdue(selection: Selection) -> list[str]:
    """Return a line where machines are still there after the time for which they were kept."""
    try:
        until = ledger_of(selection).read().kept_until
    except HarnessError:
        return []
    return [f"still here: machines that were kept until {until}; `lab down --expired` removes them"] * expired(until)
