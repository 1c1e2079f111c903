"""The polite ends of a process, taken as Ctrl-C: what a build server sends that cancels a job, or a service manager."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_POLITE = [signal.Signals[name] for name in ("SIGTERM", "SIGBREAK") if name in signal.Signals.__members__]


@contextlib.contextmanager
def termination_as_ctrl_c() -> Iterator[None]:
    """Have SIGTERM, and Ctrl-Break on Windows, raise `KeyboardInterrupt` meanwhile, where nobody else heeds them.

    Whichever comes first does so, Ctrl-C or one of these; one of these that comes later, as a build server sends it
    some seconds after Ctrl-C, changes nothing of a run that is ending. A second Ctrl-C is a person's, and counts.
    """
    main = threading.current_thread() is threading.main_thread()
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, *_POLITE) if main}
    heeded = {number: how for number, how in usual.items() if how in (signal.SIG_DFL, signal.default_int_handler)}
    for number in heeded:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, how in heeded.items():
            signal.signal(number, how)


def _interrupt(number: int, frame: FrameType | None) -> None:
    for polite in _POLITE:
        if signal.getsignal(polite) is _interrupt:
            signal.signal(polite, signal.SIG_IGN)
    signal.default_int_handler(number, frame)
