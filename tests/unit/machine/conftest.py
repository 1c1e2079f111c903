"""One VM on a hypervisor in memory, with a clock that a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fake_clock import FakeClock
from fake_hypervisor import FakeHypervisor
from run_samples import WORKER, context_of, selection_of

from harness.guest.serial import format_event
from harness.machine.console import Console
from harness.machine.context import RunContext
from harness.machine.journal import MachineJournal
from harness.results.journal import Journal, read_journal

NONCE = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def hypervisor() -> FakeHypervisor:
    return FakeHypervisor()


@pytest.fixture
def run_journal(tmp_path: Path, clock: FakeClock) -> Iterator[Journal]:
    journal = Journal(tmp_path / "events.jsonl", clock.monotonic)
    yield journal
    journal.close()


@pytest.fixture
def context(tmp_path: Path, hypervisor: FakeHypervisor, run_journal: Journal, clock: FakeClock) -> RunContext:
    context = context_of(selection_of(tmp_path), hypervisor, run_journal, clock)
    for machine in context.plan.machines:
        machine.files.directory.mkdir(parents=True)
        machine.files.vmx.touch()
    return context


@dataclass
class Vm:
    """The console of one VM, and the file behind its serial port."""

    console: Console
    journal: MachineJournal
    serial: Path
    events_path: Path

    def write(self, text: str) -> None:
        """Append a line to the console."""
        with self.serial.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(text + "\n")

    def send(self, event: str, boot_id: str, nonce: str = NONCE) -> None:
        """Append an event of the guest, and read it."""
        self.write(format_event(event, nonce, boot_id))
        self.console.listen()

    def journalled(self, kind: str) -> list[dict[str, object]]:
        """Return the fields of the events of that kind."""
        known = ("t", "at", "kind")
        return [
            {key: value for key, value in event.items() if key not in known}
            for event in read_journal(self.events_path)
            if event["kind"] == kind
        ]


def vm_of(context: RunContext, clock: FakeClock, *, sends_events: bool = True) -> Vm:
    """Return a VM whose first power-on is followed."""
    files = context.plan.machine(WORKER).files
    journal = MachineJournal(context.journal, WORKER)
    copies = context.run.machine(WORKER)
    console = Console(files, copies, nonce=NONCE, sends_events=sends_events, journal=journal, clock=clock)
    console.follow(1)
    return Vm(console, journal, files.serial(1), context.journal.path)


@pytest.fixture
def vm(context: RunContext, clock: FakeClock) -> Vm:
    return vm_of(context, clock)
