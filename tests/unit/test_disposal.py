from __future__ import annotations

from datetime import UTC, datetime

import pytest

from harness.config.model import Keep
from harness.disposal import destroys, expired, expiry, reason_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("keep", "green", "gone"),
    [
        (Keep.ALWAYS, True, False),
        (Keep.ALWAYS, False, False),
        (Keep.ON_FAILURE, True, True),
        (Keep.ON_FAILURE, False, False),
        (Keep.NEVER, True, True),
        (Keep.NEVER, False, True),
    ],
)
def test_what_becomes_of_the_machines(keep: Keep, green: bool, gone: bool) -> None:
    assert destroys(keep, green=green) is gone
    assert reason_of(keep)


def test_time_is_over_when_it_has_come() -> None:
    until = expiry(3600, NOW)
    assert until == "2026-01-02T04:04:05+00:00"
    assert not expired(until, NOW)
    assert expired(until, datetime(2026, 1, 2, 4, 4, 5, tzinfo=UTC))


def test_without_an_end_nothing_expires() -> None:
    assert expiry(None, NOW) == ""
    assert not expired("", NOW)
