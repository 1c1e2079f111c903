"""Which process is which: an id and a creation time, so that a reused id is never taken for the process that had it."""

from __future__ import annotations

from typing import TypedDict

# psutil derives the creation time from the kernel's boot time, which moves when the host's clock is set.
_CREATED_TOLERANCE_S = 2.0


class Identity(TypedDict):
    """A process: its id and its creation time in seconds since the epoch."""

    pid: int
    created: float


def identity(pid: int) -> Identity:
    """Return the identity of a process of this moment; an id that nobody has gets the creation time 0."""
    import psutil  # noqa: PLC0415 - 40 ms that `list` without machines does not pay

    try:
        return {"pid": pid, "created": psutil.Process(pid).create_time()}
    except psutil.NoSuchProcess:
        return {"pid": pid, "created": 0.0}


def alive(who: Identity) -> bool:
    """Return whether that very process runs; a zombie does not."""
    import psutil  # noqa: PLC0415 - see identity

    if who["created"] <= 0:
        return False
    try:
        process = psutil.Process(who["pid"])
        same = abs(process.create_time() - who["created"]) < _CREATED_TOLERANCE_S
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
