from __future__ import annotations

from pathlib import Path

from fake_clock import FakeClock
from run_samples import WORKER

from harness.machine.console import Console
from harness.machine.context import RunContext
from harness.machine.journal import MachineJournal

from .conftest import Vm, vm_of


def test_before_power_on_everything_is_empty(context: RunContext, clock: FakeClock, tmp_path: Path) -> None:
    files = context.plan.machine(WORKER).files
    journal = MachineJournal(context.journal, WORKER)
    console = Console(files, tmp_path, nonce="n", sends_events=True, journal=journal, clock=clock)
    console.listen()
    console.finish()
    assert not console.started
    assert not console.silent
    assert console.log is None
    assert (list(console.events), console.last("boot"), console.failure()) == ([], None, None)
    assert (console.text, console.tail(5)) == ("", "")
    assert console.accepts_boot("any")


def test_events_are_journalled_and_the_latest_is_found(vm: Vm) -> None:
    vm.send("boot", "a")
    vm.send("boot", "b")
    last = vm.console.last("boot")
    assert last is not None
    assert last.boot_id == "b"
    assert vm.console.last("boot", boot_id="a") is not None
    assert vm.console.last("ssh-ready") is None
    assert [event["boot_id"] for event in vm.journalled("guest-event")] == ["a", "b"]
    assert vm.console.accepts_boot("a")
    assert not vm.console.accepts_boot("c"), "a boot that sent nothing, while others did"


def test_a_copy_of_the_console_has_the_time_of_each_line(vm: Vm, context: RunContext) -> None:
    vm.write("hello")
    vm.console.listen()
    assert vm.console.tail(1).strip() == "hello"
    assert "hello" in vm.console.text
    assert (context.run.machine(WORKER) / "serial-1.log").read_text(encoding="utf-8").rstrip().endswith("hello")
    assert vm.console.log == vm.serial


def test_another_power_on_starts_with_nothing(vm: Vm) -> None:
    vm.send("boot", "a")
    vm.console.follow(2)
    assert vm.console.last("boot") is None
    assert vm.console.log == vm.serial.with_name("serial-2.log")


def test_events_of_another_machine_are_noted_at_the_end(vm: Vm) -> None:
    vm.send("boot", "a", nonce="f" * 32)
    assert list(vm.console.events) == []
    vm.console.finish()
    (note,) = vm.journalled("note")
    assert "1 event(s) in serial-1.log are of another machine" in str(note["text"])


def test_a_guest_is_silent_by_its_seed_or_after_five_minutes(context: RunContext, clock: FakeClock, vm: Vm) -> None:
    assert vm_of(context, clock, sends_events=False).console.silent
    clock.now += 299
    assert not vm.console.silent
    clock.now += 2
    assert vm.console.silent
    vm.send("boot", "a")
    assert not vm.console.silent


def test_a_panic_on_the_console_is_a_failure(vm: Vm) -> None:
    vm.write("[    1.0] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)")
    vm.console.listen()
    failure = vm.console.failure()
    assert failure is not None
    assert "panic" in failure.cause


def test_what_an_earlier_run_read_is_history_and_no_news(vm: Vm, context: RunContext) -> None:
    vm.send("ssh-ready", "a")
    vm.send("boot-complete", "a")
    before = len(vm.journalled("guest-event")), len(vm.journalled("state"))
    last = vm.console.follow_running(1)
    assert last is not None
    assert last.event == "boot-complete"
    vm.console.listen()
    assert vm.console.last("ssh-ready") is not None, "it answers questions about this boot"
    assert vm.console.accepts_boot("a")
    assert (len(vm.journalled("guest-event")), len(vm.journalled("state"))) == before
    copy = (context.run.machine(WORKER) / "serial-1.log").read_text(encoding="utf-8")
    assert "[  earlier] " in copy
    vm.send("boot", "b")
    assert len(vm.journalled("guest-event")) == before[0] + 1
    assert "earlier" not in copy.splitlines()[0]
