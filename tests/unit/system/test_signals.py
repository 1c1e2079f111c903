"""SIGTERM and Ctrl-Break are treated as Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time

import pytest
from needs import ctrl_c  # noqa: F401 - pytest finds the fixture here

from harness.system.signals import termination_as_ctrl_c

pytestmark = pytest.mark.usefixtures("ctrl_c")
TERMINATION = [signal.Signals[name] for name in ("SIGTERM", "SIGBREAK") if name in signal.Signals.__members__]


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in (signal.SIGINT, *TERMINATION)]


@pytest.mark.parametrize("number", TERMINATION)
def test_the_first_one_interrupts_and_later_ones_are_ignored(number: signal.Signals) -> None:
    before = handlers()
    with termination_as_ctrl_c():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        signal.raise_signal(number)
    assert handlers() == before


@pytest.mark.parametrize("number", TERMINATION)
def test_after_ctrl_c_it_is_ignored_and_a_second_ctrl_c_is_not(number: signal.Signals) -> None:
    with termination_as_ctrl_c():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


class Dying:
    """Gets a signal while Python drops exceptions."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number

    def __del__(self) -> None:
        signal.raise_signal(self.number)


@pytest.mark.parametrize("number", [signal.SIGINT, *TERMINATION])
def test_a_signal_in_a_moment_that_drops_exceptions_interrupts_soon_after(number: signal.Signals) -> None:
    def linger() -> None:
        Dying(number)
        for _ in range(600):
            time.sleep(0.05)

    with termination_as_ctrl_c(), pytest.raises(KeyboardInterrupt):
        linger()


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None], ids=["ignored", "handled"])
def test_a_signal_with_a_handler_or_ignored_stays_so(handler: signal.Handlers) -> None:
    before = signal.signal(signal.SIGTERM, handler)
    try:
        with termination_as_ctrl_c():
            assert signal.getsignal(signal.SIGTERM) is handler
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_thread_changes_nothing() -> None:
    before, seen = handlers(), list[object]()

    def enter() -> None:
        with termination_as_ctrl_c():
            seen.extend(handlers())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == before
