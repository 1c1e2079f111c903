from __future__ import annotations

import pytest
from fake_hypervisor import FakeHypervisor
from run_samples import WORKER, create, events_of, machine_of

from harness.core.secret import Secret
from harness.guest.diagnosis import Source
from harness.lab.evidence.collector import Collector
from harness.machine.context import RunContext
from harness.machine.machine import Machine


@pytest.fixture
def machine(context: RunContext) -> Machine:
    """A VM that was switched on; its guest has no SSH."""
    create(context, context.plan.machine(WORKER))
    machine = machine_of(context)
    machine.power.on(1, machine.deadline(60))
    machine.plan.files.hypervisor_log.write_text("vmx| log\n", encoding="utf-8")
    return machine


def notes(context: RunContext) -> str:
    return "\n".join(str(event["text"]) for event in events_of(context, "note"))


def test_host_files_are_copied_without_secrets(machine: Machine) -> None:
    secret = Secret("geheim-1234")
    machine.plan.files.hypervisor_log.write_text(f"password {secret.reveal()}\n", encoding="utf-8")
    collector = Collector(machine)
    collector.collect_host_files()
    copy = (collector.target / "vmware.log").read_text(encoding="utf-8")
    assert copy.startswith("password ")
    assert "geheim-1234" not in copy
    assert collector.texts[Source.HYPERVISOR] == copy
    assert (collector.target / f"{WORKER}.vmx").is_file()
    paths = {event["path"] for event in events_of(machine.context, "evidence")}
    assert {f"{WORKER}/vmware.log", f"{WORKER}/{WORKER}.vmx"} <= paths


def test_a_guest_without_ssh_is_noted_and_its_disk_is_not_read_while_the_vm_runs(machine: Machine) -> None:
    collector = Collector(machine)
    collector.collect(complete=True)
    assert collector.silent
    assert "the disk was not read" in notes(machine.context)


def test_what_breaks_is_noted_and_never_raised(machine: Machine) -> None:
    collector = Collector(machine)
    collector.target.parent.mkdir(parents=True, exist_ok=True)
    collector.target.write_text("a file where the directory belongs", encoding="utf-8")
    collector.collect(complete=False)
    assert notes(machine.context).count("could not be ") >= 1


def test_a_vm_that_is_off_is_the_condition(machine: Machine, hypervisor: FakeHypervisor) -> None:
    hypervisor.running.clear()
    assert Collector(machine).condition() == "the machine is off"


def test_a_silent_vm_is_stopped_before_its_disk_is_read(machine: Machine) -> None:
    collector = Collector(machine)
    collector.stop_and_read_disk()
    assert machine.power.is_running(), "its guest was not asked yet"
    collector.silent = True
    collector.stop_and_read_disk()
    assert not machine.power.is_running()
    assert "the stopped disk" in notes(machine.context)
