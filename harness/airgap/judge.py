"""Judge probe results and recorded packets. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network

from harness.airgap.checks import NOTHING_LEFT, PEERS, PULL, REGISTRY, SERVICES
from harness.airgap.pcap import Packet, is_outside
from harness.airgap.probes import PROTOCOLS, Probe, ProbeResult, Pull
from harness.core.check_spec import CheckSpec
from harness.core.json_text import parse_json
from harness.core.verdict import Check

# Protocol, target and its port of a recorded packet; the port is 0 for protocols without ports.
Attempt = tuple[str, str, int]

_SETUP = "run `lab setup --with-deps`"
_SHOWN = 4  # attempts or probes in one line of the report


def _remedy(problem: str) -> str:
    """Return what gives the lab a registry; VMware's hosts start none."""
    return "run the lab with `--vmrun embedded` to see it" if "VMware" in problem else _SETUP


@dataclass(frozen=True)
class Connection:
    """A connection that a gateway has open on the host."""

    protocol: str
    state: str
    source: str
    source_port: str
    target: str
    target_port: str

    def __str__(self) -> str:
        return f"{self.protocol} {self.source}:{self.source_port} -> {self.target}:{self.target_port}"


@dataclass(frozen=True)
class HostRecord:
    """Network record of the host: packets and connections of the gateway."""

    packets: tuple[Packet, ...]
    connections: tuple[Connection, ...]
    files: tuple[str, ...] = ()


def judge_registry(result: ProbeResult, where: str, problem: str) -> Check:
    """Judge whether the registry answered the guest with a verified certificate.

    Args:
        problem: Why the lab has no registry of its own; then there may be none at all.
    """
    expected = f"an answer of https://{where}/v2/ with a certificate for that address"
    if not result.open and problem:
        return REGISTRY.not_proven(f"{problem}; {result.detail}", expected=expected, remedy=_remedy(problem))
    remedy = "check the guest's clock, its authorities and the certificate's names; read registry.log"
    seen = "verified" if result.open else result.detail
    return REGISTRY.judge(ok=result.open, expected=expected, seen=seen, remedy=remedy)


def _digests(result: ProbeResult) -> dict[str, object]:
    """Return what the guest pulled; empty where it says nothing that can be read."""
    try:
        found = parse_json(result.detail) if result.open else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def judge_pull(result: ProbeResult, pull: Pull | None, problem: str) -> Check:
    """Judge by its digests whether the guest pulled this run's image."""
    if pull is None:
        return PULL.not_proven(problem, remedy=_remedy(problem))
    found = _digests(result)
    return PULL.judge(
        ok=found == {"manifest": pull.manifest, "layer": pull.layer},
        expected=f"{pull.repository}:{pull.tag}, manifest {pull.manifest}, layer {pull.layer}",
        seen=", ".join(f"{part} {value}" for part, value in found.items()) or result.detail,
        remedy="read registry.log in the directory of the run that started the registry",
    )


def judge_peers(results: Sequence[tuple[Probe, ProbeResult]], absent: Mapping[str, str]) -> Check:
    """Judge whether every peer answered.

    If a peer is absent, it is not proven.

    Args:
        absent: Name of each peer that could not be probed -> reason.
    """
    silent = [f"{probe.kind} {probe.address}: {result.detail}" for probe, result in results if not result.open]
    expected = f"ICMP and TCP answers of {len(results) // 2 + len(absent)} peers"
    remedy = "run `ip neigh` on both machines; check that both have the addresses of the lab file"
    if silent:
        return PEERS.judge(ok=False, expected=expected, seen="; ".join(silent), remedy=remedy)
    if absent:
        seen = "; ".join(f"{name}: {why}" for name, why in absent.items())
        return PEERS.not_proven(
            seen,
            expected=expected,
            remedy=f"correct what stopped {', '.join(absent)}, or select it too; then run again with `--resume`",
        )
    return PEERS.judge(ok=True, expected=expected, seen=f"{len(results)} answers")


def attempts_of(machine: IPv4Address, record: HostRecord | None) -> frozenset[Attempt] | None:
    """Return the guest's attempts at the gateway; None without a record."""
    if record is None:
        return None
    mine = (packet for packet in record.packets if packet.source == machine)
    return frozenset((packet.protocol, str(packet.target), packet.target_port) for packet in mine)


def judge_closed(
    check: CheckSpec,
    results: Sequence[tuple[Probe, ProbeResult]],
    attempts: Collection[Attempt] | None,
    subnet: IPv4Network,
) -> Check:
    """Judge whether nothing answered from outside and every probe left the guest.

    Args:
        check: The check of this kind of way out.
        attempts: The guest's attempts at the gateway; None without a record.
    """
    expected = f"no answer from outside to {len(results)} probes"
    if not results:
        return check.not_proven("there was no probe", expected=expected, remedy="report this defect")
    answered = [_line(*pair) for pair in results if pair[1].open]
    if answered:
        remedy = "make the network host-only, and check that nothing on the host routes for it"
        return check.judge(ok=False, expected=expected, seen="; ".join(answered), remedy=remedy)
    unsent = [
        _line(probe, result)
        for probe, result in results
        if not result.tried or (attempts is not None and _is_unrecorded(attempts, probe, subnet))
    ]
    if unsent:
        seen = f"{len(unsent)} of {len(results)} probes did not leave the guest: {'; '.join(unsent[:_SHOWN])}"
        return check.not_proven(seen, expected=expected, remedy="check the firewall and the routes in the guest")
    return check.judge(ok=True, expected=expected, seen="no answer")


def _line(probe: Probe, result: ProbeResult) -> str:
    return f"{probe.address} port {probe.port}: {result.detail}"


def _is_unrecorded(attempts: Collection[Attempt], probe: Probe, subnet: IPv4Network) -> bool:
    """Return whether a probe that must be recorded is not.

    The record holds only IPv4 packets that leave the network.
    """
    try:
        outside = is_outside(IPv4Address(probe.address), subnet)
    except ValueError:
        return False
    return outside and (PROTOCOLS[probe.kind], probe.address, probe.port) not in attempts


def judge_record(record: HostRecord | None, problem: str, machine: IPv4Address, subnet: IPv4Network) -> Check:
    """Judge whether the guest's attempts are recorded and none got out.

    A closed gateway answers TCP with a reset in the name of the target address; any other packet from outside is an
    answer.

    Args:
        problem: Why there is no record.
    """
    if record is None:
        return NOTHING_LEFT.not_proven(problem, remedy="see the probes of the guests above")
    tried = sum(packet.source == machine and is_outside(packet.target, subnet) for packet in record.packets)
    back = [
        f"came back: {packet}"
        for packet in record.packets
        if packet.target == machine and is_outside(packet.source, subnet) and not packet.reset
    ]
    passed = [f"passed on: {item}" for item in record.connections if _leads_out(item, machine, subnet)]
    wrong = [*dict.fromkeys(back), *dict.fromkeys(passed)]
    remedy = "find the way out of the network in the pcap files of this run"
    if not wrong and not tried:
        seen = f"no attempt of this guest among {len(record.packets)} packets"
        return replace(NOTHING_LEFT.not_proven(seen, remedy=remedy), evidence=record.files)
    more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    seen = f"{tried} attempts reached the gateway, " + ("; ".join(wrong[:_SHOWN]) + more if wrong else "none left it")
    check = NOTHING_LEFT.judge(ok=not wrong, seen=seen, remedy=remedy if wrong else "")
    return replace(check, evidence=record.files)


def judge_services(foreign: Collection[str], problem: str) -> Check:
    """Judge whether only the lab's services lead from the network to the host.

    Args:
        foreign: The others, as found before and after the probes.
        problem: Why the services are unknown.
    """
    if foreign:
        remedy = "turn all machines of the network off, and delete each with `vmrun-qemu deleteService`"
        return SERVICES.judge(ok=False, seen="; ".join(sorted(set(foreign))), remedy=remedy)
    if problem:
        return SERVICES.not_proven(problem, remedy="see the probes of the guests above")
    return SERVICES.judge(ok=True, seen="no other service")


def _leads_out(item: Connection, machine: IPv4Address, subnet: IPv4Network) -> bool:
    """Return whether the gateway opened a connection outward for the guest.

    A connection of a forwarded port of the host has the guest as its target.
    """
    try:
        source, target = IPv4Address(item.source), IPv4Address(item.target)
    except ValueError:
        return True
    return source == machine and is_outside(target, subnet)
