"""A machine that is quiet for a while is said to wait, and for what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_clock import FakeClock
from run_samples import WORKER

from harness.core.verdict import Check, Phase, Status, Verdict
from harness.machine.journal import MachineJournal
from harness.plugin.reminder import Reminder
from harness.results.journal import Journal
from harness.results.journal_events import PHASE_END, PHASE_START, phase_end, phase_start


class Bench:
    def __init__(self, tmp_path: Path) -> None:
        self.clock = FakeClock()
        self.run = Journal(tmp_path / "events.jsonl", self.clock.monotonic)
        self.machine = MachineJournal(self.run, WORKER)
        self.reminder = Reminder(60, self.run.now)
        self.run.listen(self.reminder.take)
        self.console = ""
        self.reminder.last_line = lambda _: self.console
        self.run.write(PHASE_START, WORKER, **phase_start(Phase.BOOT))

    def after(self, seconds: float) -> list[str]:
        self.clock.sleep(seconds)
        return [text for _, _, text in self.reminder.due()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.run.close()


def test_a_wait_is_named_with_its_limit_and_the_last_thing_seen(bench: Bench) -> None:
    bench.machine.waiting("an SSH login", 2700)
    bench.machine.state("connection refused")
    assert bench.after(59) == []
    assert bench.after(1) == ["waiting for an SSH login (1 of 45 min); last seen: connection refused"]
    assert bench.after(1) == []
    assert bench.after(89) == ["waiting for an SSH login (2.5 of 45 min); last seen: connection refused"]


def test_a_new_line_of_the_console_was_seen_last_and_an_old_one_was_not(bench: Bench) -> None:
    bench.machine.waiting("an SSH login", 600)
    bench.machine.state("connection refused")
    bench.console = "start: subiquity/Install/install/curtin_install"
    assert bench.after(60) == [f"waiting for an SSH login (1 of 10 min); last seen: {bench.console}"]
    assert bench.after(60) == ["waiting for an SSH login (2 of 10 min); last seen: connection refused"]
    bench.console = "@LAB1 x y boot #1"
    assert "connection refused" in bench.after(60)[0]


def test_a_machine_that_reports_needs_no_reminder(bench: Bench) -> None:
    for number in range(9):
        bench.machine.state(f"state {number}")
        assert bench.after(50) == []


def test_a_phase_without_a_wait_is_at_work_and_an_ended_one_is_not(bench: Bench) -> None:
    bench.machine.waiting("a marker", 600)
    bench.machine.waiting("")
    assert bench.after(60) == ["at work (1 min)"]
    good = Check("vmx", Status.PASS, "as planned", "as planned")
    bench.run.write(PHASE_END, WORKER, **phase_end(Verdict(Phase.BOOT, WORKER, (good,), 0, 1)))
    assert bench.after(600) == []


def test_a_phase_of_the_whole_lab_has_its_line_too(bench: Bench) -> None:
    bench.run.write(PHASE_START, None, **phase_start(Phase.CLUSTER))
    bench.clock.sleep(60)
    assert ("lab", "cluster", "at work (1 min)") in bench.reminder.due()
