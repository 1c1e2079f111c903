"""Files that another program has open, and file errors as errors of the host."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from typing import TypeVar

from harness.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from harness.core.errors import HostError

T = TypeVar("T")

_PATIENCE_S = 1.0
_AGAIN_S = 0.02
_REMEDIES = {
    errno.ENOSPC: "make room on the disk, then run again",
    errno.ENOENT: "something took it away meanwhile (a sync tool, a virus scanner, a person); then run again",
}
_HELD = (
    "close what holds it (an editor, the Workstation window, a sync tool), or give this user the right to it; "
    "then run again"
)


def retry_on_sharing_violation(
    action: Callable[[], T], *, platform: str = sys.platform, clock: Clock = SYSTEM_CLOCK
) -> T:
    """Run the action; on Windows retry it for a second after a sharing violation.

    Windows refuses to replace a file that is being read, and to open one that is being replaced.

    Raises:
        PermissionError: It is refused for longer, or this is not Windows.
        OSError: Any other failure, at once.
    """
    deadline = Deadline(_PATIENCE_S, clock)
    while True:
        try:
            return action()
        except PermissionError:
            if platform != "win32" or deadline.expired:
                raise
        clock.sleep(_AGAIN_S)


def host_error_from(error: BaseException) -> HostError | None:
    """Return an exception that names its file as a `HostError`; None for others.

    These are `OSError` and `VmxError`.
    """
    name = getattr(error, "filename2", None) or getattr(error, "filename", None)
    if name is None or not isinstance(error, OSError | ValueError):
        return None
    number = getattr(error, "errno", None)
    what = getattr(error, "strerror", None) or str(error)
    remedy = (
        _HELD if isinstance(error, PermissionError) else _REMEDIES.get(number or 0, "look at the file and its disk")
    )
    return HostError(f"the file cannot be used: {what}", where=str(name), remedy=remedy)


def allocated_bytes(stat: os.stat_result) -> int:
    """Return the disk space of a file: its blocks, or else its length."""
    blocks: int | None = getattr(stat, "st_blocks", None)  # POSIX only, in units of 512 bytes
    return stat.st_size if blocks is None else blocks * 512
