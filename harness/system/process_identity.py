"""Process identity: an id and a starting time, safe against reused ids.

On Linux the starting time is in seconds since the boot, from `/proc` (proc(5), field 22 of `stat`): it does not change
when the clock is set or the host has slept, and reading it costs nothing. Elsewhere psutil reports it, in seconds since
the epoch, as the system recorded it. Both the harness and `vmrun-qemu` use this.
"""

from __future__ import annotations

import os
import sys
from typing import TypedDict

_TOLERANCE_S = 0.02 if sys.platform == "linux" else 2.0


class Identity(TypedDict):
    """A process: its id and its starting time in seconds.

    The starting time is 0 if the process did not exist.
    """

    pid: int
    created: float


def identity(pid: int) -> Identity:
    """Return the identity of the process that now has this id."""
    return {"pid": pid, "created": _started(pid) or 0.0}


def alive(who: Identity) -> bool:
    """Return whether exactly that process runs; a zombie does not."""
    if who["created"] <= 0:
        return False
    started = _started(who["pid"])
    return started is not None and abs(started - who["created"]) < _TOLERANCE_S


def _started(pid: int) -> float | None:
    """Return the starting time of a process, or None if none runs."""
    if sys.platform != "linux":
        return _started_by_psutil(pid)
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:  # noqa: PTH123 - pathlib is not needed for `list`
            # The name is in brackets and can contain any character, brackets too.
            fields = stream.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if not fields or fields[0] in (b"Z", b"X"):
        return None
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _started_by_psutil(pid: int) -> float | None:
    import psutil  # noqa: PLC0415 - it takes 40 ms, and Linux does not need it

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None
