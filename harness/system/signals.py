"""Treat SIGTERM and Ctrl-Break as Ctrl-C.

A build server that cancels a job, or a service manager, sends these; the run then ends as cleanly as after Ctrl-C.
"""

from __future__ import annotations

import _thread
import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

_TERMINATION = [signal.Signals[name] for name in ("SIGTERM", "SIGBREAK") if name in signal.Signals.__members__]
_WEAK_REFERENCES = ("weakref.py", "_weakrefset.py")
_AGAIN_S = 0.05


@contextlib.contextmanager
def termination_as_ctrl_c() -> Iterator[None]:
    """Raise `KeyboardInterrupt` on SIGTERM and Ctrl-Break meanwhile.

    A signal that has another handler or is ignored stays as it is. Only the first of Ctrl-C, SIGTERM and Ctrl-Break
    raises; a later SIGTERM, as a build server sends it some seconds after Ctrl-C, does not disturb the end of the run.
    A second Ctrl-C comes from the user, and raises again.
    """
    main = threading.current_thread() is threading.main_thread()
    present = {number: signal.getsignal(number) for number in (signal.SIGINT, *_TERMINATION) if main}
    defaults = {n: handler for n, handler in present.items() if handler in (signal.SIG_DFL, signal.default_int_handler)}
    for number in defaults:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in defaults.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if _would_be_lost(frame):
        threading.Timer(_AGAIN_S, _thread.interrupt_main, (number,)).start()
        return
    for other in _TERMINATION:
        if signal.getsignal(other) is _interrupt:
            signal.signal(other, signal.SIG_IGN)
    signal.default_int_handler(number, frame)


def _would_be_lost(frame: FrameType | None) -> bool:
    """Return whether Python drops an exception here.

    It does in `__del__` and in callbacks of weak references.
    """
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__del__" or Path(code.co_filename).name in _WEAK_REFERENCES:
            return True
        frame = frame.f_back
    return False
