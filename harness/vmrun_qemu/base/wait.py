"""Waiting. The only place of this program that sleeps; every wait has an end on the monotonic clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(
    probe: Callable[[], T | None], timeout_s: float, interval_s: float = 0.02, *, longest_s: float = 0.5
) -> T | None:
    """Return the first answer of `probe` that is true, or None after `timeout_s` seconds.

    The probe is asked at least once, and once more at the end. The pause doubles from `interval_s` up to `longest_s`,
    so a quick answer is seen at once and a slow one costs no processor time.
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
