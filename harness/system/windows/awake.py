"""Keep a Windows host awake while a lab is built."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Callable, Iterator

_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001

SetState = Callable[[int], int]


@contextlib.contextmanager
def kept_awake(set_state: SetState | None = None) -> Iterator[None]:
    """Keep this host from going to sleep by itself meanwhile (best effort).

    After waking, every deadline of a guest would have expired. The display may go off. The request belongs to the
    calling thread, so both ends are in the same one.

    Args:
        set_state: SetThreadExecutionState of Windows; None for that of this host, which other systems lack.
    """
    set_state = set_state or _of_this_host()
    if set_state is None:
        yield
        return
    set_state(_CONTINUOUS | _SYSTEM_REQUIRED)
    try:
        yield
    finally:
        set_state(_CONTINUOUS)


def _of_this_host() -> SetState | None:
    if sys.platform != "win32":
        return None
    kernel = ctypes.WinDLL("kernel32")
    return lambda state: int(kernel.SetThreadExecutionState(ctypes.c_uint(state)))
