from __future__ import annotations

import pytest
from fake_clock import FakeClock
from fake_hypervisor import FakeHypervisor
from run_samples import WORKER, machine_of

from harness.core.deadline import Deadline
from harness.machine.context import RunContext
from harness.machine.machine import Machine
from harness.results.journal import read_journal


@pytest.fixture
def machine(context: RunContext) -> Machine:
    return machine_of(context)


def states(machine: Machine) -> list[str]:
    events = read_journal(machine.context.journal.path)
    return [event["text"] for event in events if event["kind"] == "state"]


def test_power_on_follows_a_fresh_console(machine: Machine, hypervisor: FakeHypervisor, clock: FakeClock) -> None:
    assert not machine.power.is_running()
    machine.power.on(1, Deadline(60, clock))
    assert machine.power.is_running()
    assert machine.console.log == machine.plan.files.serial(1)
    assert hypervisor.calls[-2] == ("start", str(machine.plan.files.vmx), "nogui")
    assert states(machine) == ["switched on"]


def test_a_serial_log_of_an_interrupted_run_is_renamed(machine: Machine, clock: FakeClock) -> None:
    machine.plan.files.serial(1).write_text("old")
    machine.power.on(1, Deadline(60, clock))
    assert not machine.plan.files.serial(1).exists()
    assert (machine.plan.files.directory / "serial-1-1.log").read_text() == "old"


def test_the_log_of_a_vm_that_runs_is_kept(machine: Machine, hypervisor: FakeHypervisor, clock: FakeClock) -> None:
    hypervisor.running.add(str(machine.plan.files.vmx))
    machine.plan.files.serial(1).write_text("growing")
    machine.power.on(1, Deadline(60, clock))
    assert machine.plan.files.serial(1).read_text() == "growing"


def test_power_off_asks_the_guest_and_a_cut_does_not(
    machine: Machine, hypervisor: FakeHypervisor, clock: FakeClock
) -> None:
    vmx = str(machine.plan.files.vmx)
    for stop, mode, state in ((machine.power.off, "soft", "powered off"), (machine.power.cut, "hard", "power cut")):
        hypervisor.running.add(vmx)
        stop(Deadline(60, clock))
        assert [call for call in hypervisor.calls if call[0] == "stop"][-1] == ("stop", vmx, mode)
        assert not machine.power.is_running()
        assert states(machine)[-1] == state
        assert machine.name == WORKER
