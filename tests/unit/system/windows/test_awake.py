"""A host that is kept awake, and may sleep again."""

from __future__ import annotations

import pytest

from harness.system.windows.awake import kept_awake


class FakeWindows:
    """Records the states that are set."""

    def __init__(self) -> None:
        self.states: list[int] = []

    def set_state(self, state: int) -> int:
        self.states.append(state)
        return 0x80000000


def test_the_host_is_awake_meanwhile_and_may_sleep_afterwards() -> None:
    windows = FakeWindows()
    with kept_awake(windows.set_state):
        assert windows.states == [0x80000001]
    assert windows.states == [0x80000001, 0x80000000]


def test_the_host_may_sleep_after_an_error() -> None:
    windows = FakeWindows()
    with pytest.raises(ZeroDivisionError), kept_awake(windows.set_state):
        raise ZeroDivisionError
    assert windows.states[-1] == 0x80000000


def test_a_host_that_lacks_the_request_is_left_as_it_is() -> None:
    with kept_awake():
        pass
