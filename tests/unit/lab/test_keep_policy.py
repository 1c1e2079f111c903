from __future__ import annotations

from datetime import UTC, datetime

import pytest

from harness.config.model import Keep
from harness.lab.keep_policy import destroys, expired, expiry, extended, reason_of
from harness.lab.usage import MachineUse

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("keep", "green", "gone"),
    [
        (Keep.ALWAYS, True, ()),
        (Keep.ALWAYS, False, ()),
        (Keep.ON_FAILURE, True, (MachineUse.BUILT,)),
        (Keep.ON_FAILURE, False, ()),
        (Keep.NEVER, True, (MachineUse.BUILT, MachineUse.REUSED)),
        (Keep.NEVER, False, (MachineUse.BUILT, MachineUse.REUSED)),
    ],
)
def test_what_becomes_of_the_machines(keep: Keep, green: bool, gone: tuple[MachineUse, ...]) -> None:
    assert destroys(keep, green=green) == gone
    assert reason_of(keep, None, green=green) == "this run did not touch it"
    for use in MachineUse:
        assert (reason_of(keep, use, green=green) == "it could not be removed") is (use in gone)


def test_a_machine_is_left_for_the_reason_that_is_so() -> None:
    assert reason_of(Keep.ALWAYS, MachineUse.BUILT, green=True) == "keep: always"
    assert reason_of(Keep.ON_FAILURE, MachineUse.BUILT, green=False) == "keep: on-failure, and the run is not green"
    assert reason_of(Keep.ON_FAILURE, MachineUse.REUSED, green=True) == "keep: on-failure, and an earlier run built it"


def test_time_is_over_when_it_has_come() -> None:
    until = expiry(3600, NOW)
    assert until == "2026-01-02T04:04:05+00:00"
    assert not expired(until, NOW)
    assert expired(until, datetime(2026, 1, 2, 4, 4, 5, tzinfo=UTC))


def test_without_an_end_nothing_expires() -> None:
    assert expiry(None, NOW) == ""
    assert not expired("", NOW)


@pytest.mark.parametrize(
    ("known", "fresh", "said"),
    [
        ("2026-01-02T00:00:00+00:00", "2026-01-03T00:00:00+00:00", "2026-01-03T00:00:00+00:00"),
        ("2026-01-03T00:00:00+00:00", "2026-01-02T00:00:00+00:00", "2026-01-03T00:00:00+00:00"),
        ("", "2026-01-02T00:00:00+00:00", ""),
        ("2026-01-02T00:00:00+00:00", "", ""),
    ],
)
def test_what_was_promised_is_not_taken_back(known: str, fresh: str, said: str) -> None:
    assert extended(known, fresh) == said
