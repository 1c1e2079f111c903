from __future__ import annotations

from datetime import UTC, datetime

import pytest

from harness.config.model import Keep
from harness.lab.keep_policy import MachineUse, deleted_uses, expired, expiry, keep_reason, later_expiry, overdue

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
    assert deleted_uses(keep, green=green) == gone
    assert keep_reason(keep, None, green=green) == "this run did not touch it"
    for use in MachineUse:
        assert (keep_reason(keep, use, green=green) == "it could not be removed") is (use in gone)


def test_a_machine_is_left_for_the_reason_that_is_so() -> None:
    assert keep_reason(Keep.ALWAYS, MachineUse.BUILT, green=True) == "keep: always"
    assert keep_reason(Keep.ON_FAILURE, MachineUse.BUILT, green=False) == "keep: on-failure, and the run is not green"
    assert (
        keep_reason(Keep.ON_FAILURE, MachineUse.REUSED, green=True) == "keep: on-failure, and an earlier run built it"
    )


def test_time_is_over_when_it_has_come() -> None:
    until = expiry(3600, NOW)
    assert until == "2026-01-02T04:04:05+00:00"
    assert not expired(until, NOW)
    assert expired(until, datetime(2026, 1, 2, 4, 4, 5, tzinfo=UTC))


def test_machines_beyond_their_time_are_reported() -> None:
    assert overdue("") == []
    assert overdue("2999-01-01T00:00:00+00:00") == []
    (line,) = overdue("2026-01-02T04:04:05+00:00")
    assert line == (
        "still here: machines that were kept until 2026-01-02T04:04:05+00:00; `lab down --expired` removes them"
    )


def test_without_an_end_nothing_expires() -> None:
    assert expiry(None, NOW) == ""
    assert not expired("", NOW)


@pytest.mark.parametrize(
    ("known", "fresh", "expected"),
    [
        ("2026-01-02T00:00:00+00:00", "2026-01-03T00:00:00+00:00", "2026-01-03T00:00:00+00:00"),
        ("2026-01-03T00:00:00+00:00", "2026-01-02T00:00:00+00:00", "2026-01-03T00:00:00+00:00"),
        ("", "2026-01-02T00:00:00+00:00", ""),
        ("2026-01-02T00:00:00+00:00", "", ""),
    ],
)
def test_what_was_promised_is_not_taken_back(known: str, fresh: str, expected: str) -> None:
    assert later_expiry(known, fresh) == expected
