"""Parts of the persistent shell that need no guest."""

from __future__ import annotations

import threading

import pytest

from harness.core.deadline import Deadline
from harness.guest.persistent_shell import _Wakeup, abort_at


def test_an_empty_buffer_does_not_hide_what_the_other_one_holds() -> None:
    wakeup = _Wakeup()
    wakeup.set()
    wakeup.clear()
    assert wakeup.is_set()
    wakeup.arm()
    assert not wakeup.is_set()


def test_a_block_is_ended_at_its_deadline_and_never_later() -> None:
    ended = threading.Event()
    with abort_at(Deadline(0.05), ended.set):
        assert ended.wait(10)
    never = threading.Event()
    with pytest.raises(KeyError), abort_at(Deadline(0.05), never.set):
        raise KeyError
    assert not never.wait(0.2)
