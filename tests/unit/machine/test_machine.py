from __future__ import annotations

from dataclasses import replace

import pytest
from fake_clock import FakeClock
from fake_hypervisor import FakeHypervisor
from run_samples import WORKER, machine_of, with_forwarded_ssh

from harness.core.deadline import Deadline
from harness.core.errors import DeadlineExpired, GuestError
from harness.machine.context import RunContext
from harness.machine.facts import GuestFacts
from harness.machine.machine import Machine
from harness.ownership.ledger import ForwardingEntry
from harness.results.journal import read_journal


def facts_of(machine: Machine) -> list[dict[str, object]]:
    events = read_journal(machine.context.journal.path)
    return [event["facts"] for event in events if event["kind"] == "machine-facts"]


def test_a_new_machine_has_its_plan_and_no_guest(context: RunContext) -> None:
    machine = machine_of(context)
    plan = context.plan.machine(WORKER)
    assert (machine.name, machine.plan, machine.endpoint) == (WORKER, plan, plan.endpoint)
    assert machine.facts == GuestFacts()
    assert not machine.console.started
    assert not machine.ssh.connected
    assert machine.sends_events
    assert not machine_of(context, events=False).sends_events
    assert not Machine(context, plan, None).sends_events


def test_learning_journals_what_changed(context: RunContext) -> None:
    machine = machine_of(context)
    machine.learn(machine.facts.booted("a"))
    machine.learn(machine.facts)
    machine.learn(replace(machine.facts, installation={"machine_id": "0123"}))
    assert facts_of(machine) == [{"boot_ids": ["a"]}, {"machine_id": "0123"}]
    assert machine.facts.boot_id == "a"


def test_another_port_leaves_the_plan_as_it_is(context: RunContext) -> None:
    machine = machine_of(with_forwarded_ssh(context, 40000))
    planned = machine.plan
    machine.use_port(40999)
    assert machine.plan is planned
    assert machine.endpoint == replace(planned.endpoint, port=40999)
    assert facts_of(machine) == [{"endpoint": "127.0.0.1:40999"}]


def test_an_adopted_machine_has_the_earlier_plan_and_the_port_that_leads_to_it(context: RunContext) -> None:
    machine = machine_of(with_forwarded_ssh(context, 40000))
    machine.context.ledger.write(ForwardingEntry(WORKER, "vmnet8", 40123))
    earlier = replace(machine.plan, nonce="e" * 32, endpoint=replace(machine.plan.endpoint, port=0))
    machine.adopt(earlier)
    assert machine.plan is earlier
    assert machine.endpoint.port == 40123


def test_without_a_port_in_the_ledger_an_adopted_machine_has_that_of_this_run(context: RunContext) -> None:
    machine = machine_of(with_forwarded_ssh(context, 40000))
    planned = machine.plan
    machine.adopt(replace(planned, endpoint=replace(planned.endpoint, port=0)))
    assert machine.endpoint == planned.endpoint


def test_forgetting_returns_to_the_plan_of_this_run(context: RunContext, clock: FakeClock) -> None:
    machine = machine_of(context)
    planned = machine.plan
    machine.adopt(replace(planned, nonce="e" * 32))
    machine.power.on(1, Deadline(60, clock))
    machine.learn(machine.facts.booted("a"))
    machine.forget()
    assert (machine.plan, machine.endpoint) == (planned, planned.endpoint)
    assert machine.facts == GuestFacts()
    assert not machine.console.started


def test_waits_and_errors_are_of_this_machine(context: RunContext, clock: FakeClock) -> None:
    machine = machine_of(context)
    assert machine.wait_for("anything", lambda: "there", machine.deadline(1)) == "there"
    assert machine.deadline(1).clock is clock
    error = machine.guest_error("it does not answer")
    assert isinstance(error, GuestError)
    assert (error.where, error.detail) == (WORKER, "nothing yet")
    with pytest.raises(GuestError, match="no SSH connection"):
        machine.ssh.run("true")


def test_a_silent_guest_of_another_seed_is_shown_by_its_screen(
    context: RunContext, hypervisor: FakeHypervisor, clock: FakeClock
) -> None:
    machine = machine_of(context, events=False)
    hypervisor.running.add(str(machine.plan.files.vmx))
    machine.console.follow(1)
    with pytest.raises(DeadlineExpired) as raised:
        machine.wait_for("an SSH login", lambda: None, Deadline(30, clock))
    picture = context.run.machine(WORKER) / "screen.png"
    assert picture.is_file()
    assert raised.value.evidence == (str(picture),)
    assert f"the screen: {WORKER}/screen.png" in raised.value.last_seen
