"""The screen is looked at while the serial port says nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fake_clock import FakeClock

from harness.core.deadline import Deadline
from harness.core.errors import GuestError
from harness.machine.context import RunContext
from harness.machine.screen import Screen

from .conftest import Vm, vm_of

SHOWN = "k3s-worker1/screen.png"


class Bench:
    """A VM whose screen shows what a test sets."""

    def __init__(self, vm: Vm, clock: FakeClock, picture: Path) -> None:
        self.vm, self.clock, self.picture = vm, clock, picture
        self.shows: list[bytes] = [b"language"]
        self.taken_at: list[float] = []
        self.broken = False
        self.needed = True
        self.screen = Screen(
            picture, self.take, console=vm.console, journal=vm.journal, clock=clock, needed=lambda: self.needed
        )

    def take(self, picture: Path, _: Deadline) -> None:
        self.taken_at.append(self.clock.now)
        if self.broken:
            raise GuestError("no Tools", remedy="-")
        self.shows.append(self.shows.pop(0))
        picture.write_bytes(self.shows[-1])

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.vm.console.listen()
            self.screen.look()
            self.clock.sleep(1)

    @property
    def notes(self) -> list[object]:
        return [event["text"] for event in self.vm.journalled("note")]


@pytest.fixture
def bench_of(context: RunContext, clock: FakeClock, tmp_path: Path) -> Callable[..., Bench]:
    def make(*, sends_events: bool = False) -> Bench:
        vm = vm_of(context, clock, sends_events=sends_events)
        return Bench(vm, clock, tmp_path / SHOWN)

    return make


def test_a_silent_serial_port_is_reported_with_the_picture_within_seconds(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of()
    started = bench.clock.now
    bench.wait(12)
    assert [at - started for at in bench.taken_at] == [10]
    assert bench.picture.read_bytes() == b"language"
    assert bench.notes == [f"nothing on the serial port; the screen: {SHOWN}"]
    assert bench.vm.journalled("note")[0]["progress"] is True
    assert [event["path"] for event in bench.vm.journalled("evidence")] == [SHOWN]


def test_a_screen_that_stands_still_is_reported_once_also_with_a_cursor_that_blinks(
    bench_of: Callable[..., Bench],
) -> None:
    bench = bench_of()
    bench.shows = [b"cursor on", b"cursor off"]
    bench.wait(300)
    assert bench.notes == [
        f"nothing on the serial port; the screen: {SHOWN}",
        f"nothing on the serial port; the screen has stood still for a minute: {SHOWN}",
    ]
    assert bench.screen.seen == bench.notes[-1]


def test_a_screen_that_changes_does_not_stand_still(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of()
    bench.shows = [str(number).encode() for number in range(100)]
    bench.wait(300)
    assert bench.notes == [f"nothing on the serial port; the screen: {SHOWN}"]


@pytest.mark.parametrize(("line", "looks"), [("[    0.0] Linux version 6.8", 0), ("BdsDxe: loading Boot0001", 2)])
def test_a_guest_that_prints_is_not_looked_at_and_its_firmware_does_not_count(
    bench_of: Callable[..., Bench], line: str, looks: int
) -> None:
    bench = bench_of()
    bench.vm.write(line)
    bench.wait(30)
    assert len(bench.taken_at) == looks


def test_a_guest_that_answers_needs_no_picture(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of()
    bench.needed = False
    bench.wait(300)
    assert bench.taken_at == []


def test_a_guest_that_sends_events_has_more_time(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(sends_events=True)
    bench.wait(119)
    assert bench.taken_at == []
    bench.wait(5)
    assert len(bench.taken_at) == 1


def test_each_power_on_begins_anew(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of()
    bench.wait(100)
    bench.vm.console.follow(2)
    bench.screen.look()
    assert bench.screen.seen == ""
    bench.wait(12)
    assert bench.notes[-1] == f"nothing on the serial port; the screen: {SHOWN}"


def test_where_there_is_no_picture_that_is_noted_once(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of()
    bench.broken = True
    bench.wait(300)
    assert len(bench.taken_at) == 2
    assert bench.notes == ["nothing on the serial port, and no picture of the screen: no Tools"]
    assert bench.screen.seen == ""
