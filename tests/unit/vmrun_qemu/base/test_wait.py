"""Waits: the first true result, the deadline, and the pauses between calls."""

from __future__ import annotations

import time
from itertools import pairwise

from harness.vmrun_qemu.base.wait import wait_for


def test_the_first_true_result_ends_the_wait() -> None:
    results = iter([None, 0, "", "now", "later"])
    assert wait_for(lambda: next(results), 5, interval_s=0.001) == "now"
    assert next(results) == "later"


def test_a_probe_is_called_once_even_without_time() -> None:
    calls: list[int] = []
    assert wait_for(lambda: calls.append(1), 0) is None
    assert calls == [1]


def test_the_probe_is_called_once_more_at_the_deadline() -> None:
    begin, calls = time.monotonic(), []

    def probe() -> None:
        calls.append(time.monotonic() - begin)

    assert wait_for(probe, 0.2, interval_s=0.15) is None
    assert len(calls) == 3
    assert calls[-1] >= 0.2


def test_pauses_double_up_to_the_longest() -> None:
    calls: list[float] = []
    wait_for(lambda: calls.append(time.monotonic()), 0.5, interval_s=0.02, longest_s=0.08)
    tick = time.get_clock_info("monotonic").resolution  # 16 ms on Windows: a pause may look shorter by one
    pauses = [after - before + tick for before, after in pairwise(calls)]
    assert [pause >= least for pause, least in zip(pauses, (0.02, 0.04, 0.08, 0.08), strict=False)] == [True] * 4
