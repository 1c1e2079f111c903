from __future__ import annotations

import threading

import pytest

from harness.core.errors import HostError
from harness.guest.watched import Watch, watched


def blocks_until(event: threading.Event, watch: Watch, aborted: threading.Event, error: Exception) -> None:
    with watched(watch, aborted.set, interval_s=0.01):
        assert event.wait(30)
        raise error


def test_an_error_of_the_watch_ends_the_block_and_takes_its_place() -> None:
    aborted = threading.Event()

    def watch() -> None:
        raise HostError("the network is down", remedy="-")

    with pytest.raises(HostError, match="the network is down"):
        blocks_until(aborted, watch, aborted, ConnectionError("closed"))


def test_an_error_of_the_block_itself_stays_and_ends_the_watch() -> None:
    looked, aborted = threading.Event(), threading.Event()
    with pytest.raises(ConnectionError):
        blocks_until(looked, looked.set, aborted, ConnectionError("closed"))
    assert not aborted.is_set()


def test_a_block_without_a_watch_costs_no_thread() -> None:
    before = threading.active_count()
    with watched(None, lambda: None):
        assert threading.active_count() == before
