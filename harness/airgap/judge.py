"""From answers and packets to checks. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network

from harness.airgap.checks import NOTHING_LEFT, PEERS, PULL, REGISTRY
from harness.airgap.pcap import Packet, is_outside
from harness.airgap.probes import PROTOCOLS, Probe, ProbeResult, Pull
from harness.core.check_spec import CheckSpec
from harness.core.verdict import Check

# Protocol, target and its port, 0 where the protocol has none: a packet of a guest, as a record has it.
Attempt = tuple[str, str, int]

_SHOWN = 4


@dataclass(frozen=True)
class Connection:
    """One row of a gateway's table: what it has open on the host, and for whom."""

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
    """What the host saw of the network: packets at the gateway, connections of the gateway, and where it is written."""

    packets: tuple[Packet, ...]
    connections: tuple[Connection, ...]
    files: tuple[str, ...] = ()


def judge_registry(answer: ProbeResult, where: str, problem: str) -> Check:
    """Return whether the registry answered the guest, its certificate verified.

    Args:
        problem: Why the lab has no registry of its own; then nobody may be there to answer.
    """
    expected = f"an answer of https://{where}/v2/ whose certificate names that address"
    if not answer.open and problem:
        return REGISTRY.not_proven(f"{problem}; {answer.said}", expected=expected, remedy="lab setup --with-deps")
    remedy = "the clock, the authority in the guest and the certificate's names decide; see registry.log"
    seen = "verified" if answer.open else answer.said
    return REGISTRY.judge(ok=answer.open, expected=expected, seen=seen, remedy=remedy)


def judge_pull(answer: ProbeResult, pull: Pull | None, problem: str) -> Check:
    """Return whether the guest pulled the image that this run pushed, to the byte."""
    if pull is None:
        return PULL.not_proven(problem, remedy="lab setup --with-deps")
    try:
        found = json.loads(answer.said) if answer.open else {}
    except ValueError:
        found = {}
    return PULL.judge(
        ok=found == {"manifest": pull.manifest, "layer": pull.layer},
        expected=f"{pull.repository}:{pull.tag}, manifest {pull.manifest}, layer {pull.layer}",
        seen=", ".join(f"{part} {value}" for part, value in found.items()) or answer.said,
        remedy="read registry.log in the directory of the run that started it",
    )


def judge_peers(asked: Sequence[tuple[Probe, ProbeResult]], absent: Mapping[str, str]) -> Check:
    """Return whether every neighbour answered; one that is not there for another reason is not proven.

    Args:
        absent: Why a neighbour could not be asked, by name.
    """
    silent = [f"{question.kind} {question.address}: {answer.said}" for question, answer in asked if not answer.open]
    expected = f"ICMP and TCP answers of {len(asked) // 2 + len(absent)} neighbours"
    remedy = "`ip neigh` on both machines; do both have the addresses of the lab file?"
    if silent:
        return PEERS.judge(ok=False, expected=expected, seen="; ".join(silent), remedy=remedy)
    if absent:
        seen = "; ".join(f"{name}: {why}" for name, why in absent.items())
        return PEERS.not_proven(seen, expected=expected, remedy="run the whole lab")
    return PEERS.judge(ok=True, expected=expected, seen=f"{len(asked)} answers")


def attempts_of(machine: IPv4Address, record: HostRecord | None) -> frozenset[Attempt] | None:
    """Return what of that guest came to the gateway; None where there is no record."""
    if record is None:
        return None
    mine = (packet for packet in record.packets if packet.source == machine)
    return frozenset((packet.protocol, str(packet.target), packet.target_port) for packet in mine)


def judge_closed(
    way: CheckSpec,
    asked: Sequence[tuple[Probe, ProbeResult]],
    attempts: Collection[Attempt] | None,
    subnet: IPv4Network,
) -> Check:
    """Return whether nothing answered on that way out, and each question is known to have gone out.

    Args:
        attempts: What of the guest came to the gateway; None where there is no record.
    """
    expected = f"no answer from outside to {len(asked)} questions"
    if not asked:
        return way.not_proven("nothing was asked", expected=expected, remedy="report this defect")
    answered = [_line(*pair) for pair in asked if pair[1].open]
    if answered:
        remedy = "the network is not host-only, or something on the host routes for it"
        return way.judge(ok=False, expected=expected, seen="; ".join(answered), remedy=remedy)
    unsent = [
        _line(question, answer)
        for question, answer in asked
        if not answer.tried or (attempts is not None and _misses(attempts, question, subnet))
    ]
    if unsent:
        seen = f"{len(unsent)} of {len(asked)} questions did not leave the guest: {'; '.join(unsent[:_SHOWN])}"
        remedy = "a firewall or a route in the guest stops them first"
        return way.not_proven(seen, expected=expected, remedy=remedy)
    return way.judge(ok=True, expected=expected, seen="no answer")


def _line(question: Probe, answer: ProbeResult) -> str:
    return f"{question.address} port {question.port}: {answer.said}"


def _misses(attempts: Collection[Attempt], question: Probe, subnet: IPv4Network) -> bool:
    """Return whether the record has to hold the question, and does not: it knows IPv4, and what leaves the network."""
    try:
        outside = is_outside(IPv4Address(question.address), subnet)
    except ValueError:
        return False
    return outside and (PROTOCOLS[question.kind], question.address, question.port) not in attempts


def judge_record(record: HostRecord | None, problem: str, machine: IPv4Address, subnet: IPv4Network) -> Check:
    """Return whether the host saw the guest try to get out, and saw nothing of it leave.

    A closed gateway answers TCP with a reset of its own, in the name of the address that was asked for; any other
    packet from outside is an answer.

    Args:
        problem: Why there is no record.
    """
    if record is None:
        return NOTHING_LEFT.not_proven(problem, remedy="what the guests were asked stands above")
    tried = sum(packet.source == machine and is_outside(packet.target, subnet) for packet in record.packets)
    back = [
        f"came back: {packet}"
        for packet in record.packets
        if packet.target == machine and is_outside(packet.source, subnet) and not packet.reset
    ]
    passed = [f"passed on: {item}" for item in record.connections if _leads_out(item, machine, subnet)]
    wrong = [*dict.fromkeys(back), *dict.fromkeys(passed)]
    remedy = "the network has a way out: see the pcap files of this run"
    if not wrong and not tried:
        seen = f"none of its attempts among {len(record.packets)} packets: the record shows nothing"
        return replace(NOTHING_LEFT.not_proven(seen, remedy=remedy), evidence=record.files)
    more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    seen = f"{tried} attempts came to the gateway, " + ("; ".join(wrong[:_SHOWN]) + more if wrong else "none left it")
    check = NOTHING_LEFT.judge(ok=not wrong, seen=seen, remedy=remedy if wrong else "")
    return replace(check, evidence=record.files)


def _leads_out(item: Connection, machine: IPv4Address, subnet: IPv4Network) -> bool:
    """Return whether the gateway has something open on the host that the guest asked for.

    What leads into the guest, from a forwarded port of the host, has the guest's end as its target.
    """
    try:
        source, target = IPv4Address(item.source), IPv4Address(item.target)
    except ValueError:
        return True
    return source == machine and is_outside(target, subnet)
