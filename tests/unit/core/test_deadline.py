from __future__ import annotations

import pytest
from fake_clock import FakeClock

from harness.core.deadline import Deadline, Pending, wait_until
from harness.core.errors import DeadlineExpired


def test_the_first_answer_ends_the_wait() -> None:
    clock = FakeClock()
    answers = iter([Pending("one"), Pending("two"), "there"])
    assert wait_until(lambda _: next(answers), Deadline(10, clock), what="it") == "there"
    assert clock.now == 101.0


def test_an_answer_of_none_is_an_answer() -> None:
    assert wait_until(lambda _: None, Deadline(0, FakeClock()), what="it") is None


def test_an_expired_wait_reports_the_last_thing_seen() -> None:
    clock = FakeClock()
    with pytest.raises(DeadlineExpired) as caught:
        wait_until(lambda d: Pending(f"{d.elapsed:.0f} s"), Deadline(3, clock), what="marker", where="m1", interval_s=1)
    assert caught.value.last_seen == "3 s"
    assert "m1: marker: not within 3 s" in str(caught.value)
    assert clock.now == 103.0


def test_a_wait_is_asked_once_even_without_time() -> None:
    asked = []
    with pytest.raises(DeadlineExpired):
        wait_until(lambda _: asked.append(1) or Pending("no"), Deadline(0, FakeClock()), what="it")  # type: ignore[func-returns-value]
    assert asked == [1]


def test_an_exception_ends_the_wait_at_once() -> None:
    clock = FakeClock()

    def probe(_: Deadline) -> Pending:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        wait_until(probe, Deadline(100, clock), what="it")
    assert clock.now == 100.0


def test_a_deadline_hands_down_no_more_than_it_has() -> None:
    clock = FakeClock()
    deadline = Deadline(10, clock)
    clock.sleep(7)
    assert deadline.at_most(60).remaining == pytest.approx(3)
    assert deadline.at_most(1).remaining == pytest.approx(1)
    clock.sleep(5)
    assert deadline.remaining == 0
    assert deadline.expired
