"""End a blocking operation when it has become useless.

A guest whose process or network is gone answers nothing, and closes no connection either.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.core.errors import HarnessError

Watch = Callable[[], None]

_INTERVAL_S = 1.0


@contextmanager
def watched(watch: Watch | None, abort: Callable[[], None], *, interval_s: float = _INTERVAL_S) -> Iterator[None]:
    """Call `watch` in another thread, every second of the block.

    If it raises, `abort` makes the block fail, and its error takes the place of the block's.

    Args:
        watch: Raises a `HarnessError` when the block is useless; None watches nothing.
        abort: Ends what blocks; must not raise.
        interval_s: Time between two calls.

    Raises:
        HarnessError: That of `watch`.
    """
    if watch is None:
        yield
        return
    ended, found = threading.Event(), list[HarnessError]()
    lock = threading.Lock()

    def look() -> None:
        while not ended.wait(interval_s):
            try:
                watch()
            except HarnessError as error:
                with lock:
                    if not ended.is_set():
                        found.append(error)
                        abort()
                return

    threading.Thread(target=look, name="watch", daemon=True).start()
    try:
        yield
    except Exception as error:
        with lock:
            ended.set()
        if found:
            raise found[0] from error
        raise
    finally:
        ended.set()
