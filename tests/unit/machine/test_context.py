from __future__ import annotations

from run_samples import WORKER, with_forwarded_ssh

from harness.machine.context import RunContext
from harness.ownership.ledger import ForwardingEntry


def test_a_machine_that_is_reached_directly_has_its_planned_port(context: RunContext) -> None:
    assert context.port_of(context.plan.machine(WORKER)) == 22


def test_a_forwarded_port_of_the_ledger_counts(context: RunContext) -> None:
    forwarded = with_forwarded_ssh(context, 40000)
    plan = forwarded.plan.machine(WORKER)
    assert forwarded.port_of(plan) == plan.endpoint.port
    forwarded.ledger.write(ForwardingEntry(WORKER, "vmnet8", 40123))
    assert forwarded.port_of(plan) == 40123
