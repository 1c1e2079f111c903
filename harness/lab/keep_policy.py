"""The keep policy: which machines are deleted, and when. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from harness.config.model import Keep


class MachineUse(StrEnum):
    """What a run did with a machine that it worked on."""

    BUILT = "built"  # it ran a phase that no earlier run had done
    REUSED = "reused"  # it looked at the machine as an earlier run had left it


def deleted_uses(keep: Keep, *, green: bool) -> tuple[MachineUse, ...]:
    """Return which machines of a run are deleted, by their use.

    `never` deletes all that the run worked on, `on-failure` what a green run built. A machine that the run did not
    work on is kept under every policy.
    """
    if keep is Keep.NEVER:
        return (MachineUse.BUILT, MachineUse.REUSED)
    return (MachineUse.BUILT,) if keep is Keep.ON_FAILURE and green else ()


def keep_reason(keep: Keep, use: MachineUse | None, *, green: bool) -> str:
    """Return why a machine still exists, for the report."""
    if use is None:
        return "this run did not touch it"
    if use in deleted_uses(keep, green=green):
        return "it could not be removed"
    if keep is Keep.ALWAYS:
        return "keep: always"
    return f"keep: on-failure, and {'an earlier run built it' if green else 'the run is not green'}"


def expiry(keep_for_s: int | None, now: datetime | None = None) -> str:
    """Return the time until which machines are kept; empty means without end."""
    if keep_for_s is None:
        return ""
    return ((now or datetime.now(UTC)) + timedelta(seconds=keep_for_s)).isoformat(timespec="seconds")


def later_expiry(known: str, fresh: str) -> str:
    """Return the later of two expiry times; empty means without end."""
    return max(known, fresh, key=datetime.fromisoformat) if known and fresh else ""


def expired(until: str, now: datetime | None = None) -> bool:
    """Return whether that time is over; an empty one never is."""
    return bool(until) and datetime.fromisoformat(until) <= (now or datetime.now(UTC))


def overdue(until: str) -> list[str]:
    """Return a line for the terminal if machines are overdue."""
    return [f"still here: machines that were kept until {until}; `lab down --expired` removes them"] * expired(until)
