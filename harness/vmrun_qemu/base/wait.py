"""Waiting with a deadline: the only place of this program that sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(
    probe: Callable[[], T | None], timeout_s: float, interval_s: float = 0.02, *, longest_s: float = 0.5
) -> T | None:
    """Return the first true result of `probe`, or None after `timeout_s` seconds.

    The probe is called at least once, and once more at the end. The pause doubles from `interval_s` up to `longest_s`,
    so that a quick result is seen at once and a slow one costs no processor time.
    """
    end = time.monotonic() + timeout_s
    while True:
        answer = probe()
        if answer:
            return answer
        left = end - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(interval_s, left))
        interval_s = min(interval_s * 2, longest_s)
