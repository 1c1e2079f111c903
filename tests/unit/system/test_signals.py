"""The polite ends of a process, taken as Ctrl-C."""

from __future__ import annotations

import signal
import threading

import pytest
from needs import ctrl_c  # noqa: F401 - pytest finds the fixture here

from harness.system.signals import termination_as_ctrl_c

pytestmark = pytest.mark.usefixtures("ctrl_c")
POLITE = [signal.Signals[name] for name in ("SIGTERM", "SIGBREAK") if name in signal.Signals.__members__]


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in (signal.SIGINT, *POLITE)]


@pytest.mark.parametrize("polite", POLITE)
def test_it_interrupts_once_and_later_ones_do_not_break_the_end(polite: signal.Signals) -> None:
    before = handlers()
    with termination_as_ctrl_c():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(polite)
        signal.raise_signal(polite)
    assert handlers() == before


@pytest.mark.parametrize("polite", POLITE)
def test_after_ctrl_c_it_changes_nothing_and_a_second_ctrl_c_does(polite: signal.Signals) -> None:
    with termination_as_ctrl_c():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(polite)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None], ids=["ignored", "another's"])
def test_what_somebody_else_heeds_or_ignores_stays_so(handler: signal.Handlers) -> None:
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

    def look() -> None:
        with termination_as_ctrl_c():
            seen.extend(handlers())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == before
