"""Outcomes and numbers as the views print them."""

from __future__ import annotations

import pytest

from harness.core.verdict import Status
from harness.report import symbols
from harness.results.model import Outcome


def test_every_outcome_differs_by_symbol_and_word_from_a_pass() -> None:
    assert set(symbols.STATUS) == set(Status)
    assert set(symbols.OUTCOME) == set(Outcome)
    passed = symbols.STATUS[Status.PASS]
    for mark in (mark for status, mark in symbols.STATUS.items() if status is not Status.PASS):
        assert mark.sign != passed.sign
        assert mark.word != passed.word


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (725, "12 min 05 s"),
        (3725, "1 h 02 min"),
    ],
)
def test_a_duration(seconds: float, text: str) -> None:
    assert symbols.duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"), [(None, "missing"), (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1 << 21, "2.0 MiB")]
)
def test_a_size(number: int | None, text: str) -> None:
    assert symbols.size(number) == text


@pytest.mark.parametrize(
    ("stamp", "text"),
    [
        ("2026-01-12T09:30:00.123+00:00", "2026-01-12 09:30:00 UTC"),
        ("2026-01-12T09:30:00+09:00", "2026-01-12 09:30:00"),
        ("", ""),
    ],
)
def test_a_stamp(stamp: str, text: str) -> None:
    assert symbols.clock(stamp) == text
