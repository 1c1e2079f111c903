"""Boot: the order of the checks, and the port of the guest's SSH."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from harness.core.errors import DeadlineExpired
from harness.core.verdict import Check, Status
from harness.guest.serial import GuestEvent
from harness.machine.context import RunContext
from harness.phases import boot
from harness.vmrun.errors import PortInUse

from .fake_machine import FakeMachine, FakeNetworks, context_with


def forwarded(context: RunContext, refused: int = 0) -> tuple[FakeMachine, FakeNetworks]:
    """Return a machine behind a forwarded port, and the fake networks."""
    networks, ports = FakeNetworks(refused), iter(range(40001, 40100))
    vmrun: Any = SimpleNamespace(networks=networks)
    taken: Any = SimpleNamespace(take=lambda: next(ports))
    context.ledger.path.parent.mkdir(parents=True, exist_ok=True)
    fake = FakeMachine(context_with(context, vmrun=vmrun, ports=taken))
    fake.endpoint = replace(fake.endpoint, forward=True, port=40000)
    return fake, networks


def booted(fake: FakeMachine) -> list[Check]:
    return list(boot.run(fake.machine, fake.context.plan.spec.deadlines_s))


def test_every_check_is_answered_in_the_declared_order(context: RunContext) -> None:
    fake = FakeMachine(context, events=[GuestEvent("boot", "n", "boot-1")])
    found = booted(fake)
    assert [check.name for check in found] == [spec.name for spec in boot.CHECKS]
    assert {check.status for check in found} == {Status.PASS}
    assert fake.calls == ["on 1", "login"]
    assert found[1].seen == "boot"
    assert fake.plan.nonce in found[3].expected


def test_the_mode_of_vmwares_monitor_is_a_fact_of_the_machine(context: RunContext) -> None:
    fake = FakeMachine(context, events=[GuestEvent("boot", "n", "boot-1")])
    vmx = fake.plan.files.vmx
    vmx.parent.mkdir(parents=True, exist_ok=True)
    (vmx.parent / "vmware.log").write_text("In(05) vmx Monitor Mode: ULM\n", encoding="utf-8")
    facts: list[object] = []
    machine: Any = fake.machine
    machine.journal.facts = facts.append
    booted(fake)
    assert facts == [{"monitor_mode": "ULM (Hyper-V or VBS of Windows is on: VMs are slower)"}]


def test_a_guest_without_events_is_asked_by_ssh(context: RunContext) -> None:
    found = booted(FakeMachine(context, sends_events=False))
    assert found[1].expected == "an answer by SSH (this seed sends no events)"
    assert found[2].seen == "1 login(s), boot boot-1"


def test_a_machine_that_is_not_listed_is_an_error_with_a_remedy(context: RunContext) -> None:
    with pytest.raises(DeadlineExpired) as raised:
        booted(FakeMachine(context, listed=False))
    assert raised.value.last_seen == "`vmrun start` succeeded, and `vmrun list` does not have it"
    assert "elevation" in raised.value.remedy


def test_a_machine_of_a_reachable_network_needs_no_port(context: RunContext) -> None:
    fake, networks = forwarded(context)
    fake.endpoint = replace(fake.endpoint, forward=False)
    boot.forward_ssh(fake.machine)
    assert networks.ports == []


def test_another_port_is_taken_where_one_is_in_use(context: RunContext) -> None:
    fake, networks = forwarded(context, refused=2)
    boot.forward_ssh(fake.machine)
    assert networks.ports == [40000, 40001, 40002]
    assert fake.endpoint.port == 40002
    assert fake.plan.endpoint.port != 40002, "the plan is never changed"


def test_not_every_port_is_tried(context: RunContext) -> None:
    fake, networks = forwarded(context, refused=99)
    with pytest.raises(PortInUse):
        boot.forward_ssh(fake.machine)
    assert len(networks.ports) == 5


def test_a_port_of_the_lab_file_is_no_other_one(context: RunContext) -> None:
    fake, networks = forwarded(context, refused=1)
    spec = context.plan.spec
    fixed = spec.model_copy(update={"ssh": spec.ssh.model_copy(update={"forward_base_port": 40000})})
    fake.context = context_with(fake.context, plan=replace(context.plan, spec=fixed))
    with pytest.raises(PortInUse):
        boot.forward_ssh(fake.machine)
    assert networks.ports == [40000]
