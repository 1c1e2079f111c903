"""Air gap: the guest reaches its registry and its neighbours and nothing else.

The host's record of the network has the attempts, and nothing that left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from harness.airgap import checks, judge, probes
from harness.airgap.judge import HostRecord
from harness.airgap.probes import Probe, ProbeResult
from harness.config.model import DeadlinesSpec
from harness.core.errors import HarnessError
from harness.core.verdict import Check, Phase

if TYPE_CHECKING:
    from harness.machine.machine import Machine

PHASE = Phase.AIR_GAP
CHECKS = checks.CHECKS

_SCRIPT_S = probes.INWARD_S + 60


def run(machine: Machine, limits: DeadlinesSpec) -> Iterator[Check]:
    """Wait for the neighbours, send all probes, and judge the host's record."""
    context = machine.context
    spec, gateway = context.plan.spec, context.gateway
    _meet(machine, limits)
    others = {name: other.address for name, other in spec.machines.items() if name != machine.name}
    absent = context.barrier.missing(others)
    peers = {name: address for name, address in others.items() if name not in absent}
    before, before_problem = _services(machine)
    asked = ask(machine, plan_questions(machine, peers))
    *answers, (_, registry) = asked
    where = f"{spec.registry.address}:{spec.registry.port}"
    yield judge.judge_registry(registry, where, gateway.no_registry)
    yield judge.judge_pull(registry, gateway.pull, gateway.no_registry)
    yield judge.judge_peers([pair for pair in answers if pair[0].check == checks.PEERS.name], absent)
    record, problem = _record(machine)
    attempts = judge.attempts_of(machine.plan.address, record)
    for way in checks.CLOSED:
        pairs = [pair for pair in answers if pair[0].check == way.name]
        yield judge.judge_closed(way, pairs, attempts, spec.network.subnet)
    yield judge.judge_record(record, problem, machine.plan.address, spec.network.subnet)
    after, after_problem = _services(machine)
    yield judge.judge_services([*before, *after], before_problem or after_problem)


def plan_questions(machine: Machine, peers: Mapping[str, IPv4Address]) -> list[Probe]:
    """Return what that guest is asked, but for the registry."""
    spec, port = machine.context.plan.spec, machine.context.gateway.port
    way_home = probes.gateway_addresses(spec.network.subnet, port)
    return [*probes.outward_probes(spec.network.dns, way_home), *probes.peer_probes(peers, spec.ssh.port)]


def ask(machine: Machine, asked: list[Probe]) -> list[tuple[Probe, ProbeResult]]:
    """Return the guest's answers, that of the registry last.

    Raises:
        GuestError: The guest cannot run the probes.
    """
    spec = machine.context.plan.spec
    authority = "" if spec.guest.lab_ca else f"{spec.markers.payload}/ca.crt"
    address, port = spec.registry.address, spec.registry.port
    registry = probes.registry_probe(address, port, authority, machine.context.gateway.pull)
    reply = machine.ssh.run(probes.probe_command(asked, registry), timeout_s=_SCRIPT_S, as_root=True)
    try:
        answers = probes.parse_results(reply.stdout, len(asked) + 1)
    except (ValueError, KeyError, TypeError) as error:
        last = reply.stderr.strip()[-300:]
        raise machine.guest_error(f"the guest cannot try its ways out: {error}: {last}") from error
    return list(zip([*asked, Probe(checks.REGISTRY.name, "registry", str(address), port)], answers, strict=True))


def _meet(machine: Machine, limits: DeadlinesSpec) -> None:
    """Wait until every expected machine is up or has withdrawn.

    Each machine gives up by its own deadlines.
    """
    barrier = machine.context.barrier
    barrier.arrive(machine.name)
    limit = sum(int(seconds) for _, seconds in limits)
    machine.wait_for("its neighbours to be up", lambda: barrier.complete or None, machine.deadline(limit))


def _record(machine: Machine) -> tuple[HostRecord | None, str]:
    gateway = machine.context.gateway
    if gateway.no_record:
        return None, gateway.no_record
    try:
        return gateway.record(), ""
    except (HarnessError, OSError, ValueError) as error:
        return None, f"the record cannot be read: {error}"


def _services(machine: Machine) -> tuple[list[str], str]:
    """Return the network's services that are not the lab's, or a problem."""
    gateway = machine.context.gateway
    if gateway.no_services:
        return [], gateway.no_services
    try:
        found = gateway.services()
    except (HarnessError, OSError, ValueError) as error:
        return [], f"the services of the network cannot be listed: {error}"
    return [f"{one.address}:{one.port} leads to port {one.host_port} of the host's loopback" for one in found], ""
