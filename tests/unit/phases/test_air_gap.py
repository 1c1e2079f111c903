"""Air gap: the guest's answers and the host's record become checks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import Any

import pytest
from run_samples import MASTER, WORKER

from harness.airgap.judge import HostRecord
from harness.core.errors import GuestError, HostError
from harness.core.verdict import Check, Status
from harness.machine.context import RunContext
from harness.phases import air_gap
from harness.vmrun.networks import Service

from .fake_machine import FakeMachine, barrier_of, context_with

OTHER = "k3s-worker2"
HOLE = Service(IPv4Address("192.168.6.77"), 80, 18099)
Services = Sequence[tuple[Service, ...] | Exception]


class FakeGateway:
    """A gateway without a registry; its record is given."""

    no_registry = "no registry here"
    pull = None
    port = 0

    def __init__(self, *, no_record: str = "", problem: Exception | None = None, services: Services = ()) -> None:
        self.no_record = no_record
        self.no_services = ""
        self._problem = problem
        self._services = list(services)

    def services(self) -> tuple[Service, ...]:
        found = self._services.pop(0) if self._services else ()
        if isinstance(found, Exception):
            raise found
        return found

    def record(self) -> HostRecord:
        if self._problem is not None:
            raise self._problem
        return HostRecord((), ())


def machine_of(context: RunContext, gateway: FakeGateway | None = None) -> FakeMachine:
    """Return a machine with one neighbour that is up and one withdrawn."""
    parts: dict[str, Any] = {
        "gateway": gateway or FakeGateway(no_record="no record here"),
        "barrier": barrier_of(MASTER, WORKER, withdrawn={OTHER: "boot of k3s-worker2"}),
    }
    return FakeMachine(context_with(context, **parts))


def answered(fake: FakeMachine, *, open_ways: bool = False) -> list[Check]:
    """Run the phase with a neighbour that answers, and with ways out if `open_ways`."""
    neighbour = {MASTER: fake.context.plan.spec.machines[MASTER].address}
    asked = air_gap.plan_questions(fake.machine, neighbour)
    given = [{"open": open_ways or one.check == "peers answer", "detail": "-", "tried": True} for one in asked]
    registry = {"open": False, "detail": "refused", "tried": True}
    fake.answers["python3 -c"] = json.dumps([*given, registry])
    return list(air_gap.run(fake.machine, fake.context.plan.spec.deadlines_s))


def test_every_check_is_answered_in_the_declared_order(context: RunContext) -> None:
    found = answered(machine_of(context))
    assert [check.name for check in found] == [spec.name for spec in air_gap.CHECKS]
    status = {check.name: check.status for check in found}
    assert {status[name] for name in ("no DNS", "no TCP", "no UDP", "no ICMP", "no NTP")} == {Status.PASS}
    assert status["image pulled"] is status["nothing left the network"] is Status.NOT_PROVEN
    assert {check.name: check for check in found}["peers answer"].seen == f"{OTHER}: boot of k3s-worker2"


def test_a_way_out_fails_its_own_check(context: RunContext) -> None:
    found = answered(machine_of(context), open_ways=True)
    failed = {check.name for check in found if check.status is Status.FAIL}
    assert failed == {"no DNS", "no TCP", "no UDP", "no ICMP", "no NTP"}


@pytest.mark.parametrize("problem", [HostError("no answer", remedy=""), OSError("no file"), ValueError("no pcap")])
def test_a_record_that_cannot_be_read_proves_nothing(context: RunContext, problem: Exception) -> None:
    last = answered(machine_of(context, FakeGateway(problem=problem)))[-2]
    assert (last.status, last.seen) == (Status.NOT_PROVEN, f"the record cannot be read: {problem}")


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "[1]"])
def test_a_guest_that_cannot_ask_is_an_error_of_the_guest(context: RunContext, text: str) -> None:
    fake = machine_of(context)
    fake.answers["python3 -c"] = text
    with pytest.raises(GuestError, match="cannot try its ways out"):
        list(air_gap.run(fake.machine, context.plan.spec.deadlines_s))


@pytest.mark.parametrize("services", [((HOLE,), (HOLE,)), ((), (HOLE,)), ((HOLE,), ()), ((HOLE,), OSError("no"))])
def test_a_service_of_the_host_beside_the_registry_disproves(context: RunContext, services: Services) -> None:
    last = answered(machine_of(context, FakeGateway(services=services)))[-1]
    assert (last.status, last.seen) == (
        Status.FAIL,
        "192.168.6.77:80 leads to port 18099 of the host's loopback",
    )


def test_services_that_cannot_be_listed_prove_nothing(context: RunContext) -> None:
    last = answered(machine_of(context, FakeGateway(services=((), OSError("no vmrun")))))[-1]
    assert (last.status, last.seen) == (
        Status.NOT_PROVEN,
        "the services of the network cannot be listed: no vmrun",
    )


def test_no_other_service_passes(context: RunContext) -> None:
    assert answered(machine_of(context, FakeGateway()))[-1].status is Status.PASS
