"""What a guest is asked: every way out, every neighbour, the registry. Pure, but for reading the program that asks."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from ipaddress import IPv4Address, IPv4Network

from harness.airgap.checks import NO_DNS, NO_ICMP, NO_NTP, NO_TCP, NO_UDP, PEERS
from harness.airgap.registry_image import MANIFEST_TYPE

# Resolvers and time servers that answer from everywhere in the world, on every protocol that is tried.
RESOLVERS = ("1.1.1.1", "8.8.8.8", "9.9.9.9")
TIME_SERVERS = ("162.159.200.1", "216.239.35.0")
IPV6 = "2606:4700:4700::1111"
# As what a kind of question passes the gateway.
PROTOCOLS = {"dns": "udp", "icmp": "icmp", "ntp": "udp", "quic": "udp", "tcp": "tcp"}
# All questions are asked at once. Outward ones get no answer where the lab is sound: this is what they cost.
OUTWARD_S = 3
INWARD_S = 60


@dataclass(frozen=True)
class Pull:
    """The image that is pulled: `manifest` and `layer` are the digests that it has to have."""

    repository: str
    tag: str
    manifest: str
    layer: str


@dataclass(frozen=True)
class Probe:
    """One thing to try; `kind` is a function of `guest_probe`, `way` names the check that its answer falls under."""

    way: str
    kind: str
    address: str
    port: int = 0
    seconds: int = OUTWARD_S
    patient: bool = False


@dataclass(frozen=True)
class ProbeResult:
    """Whether anything answered, and what it said or how the question failed.

    Attributes:
        tried: Whether the guest's own kernel let the question go out.
    """

    open: bool
    said: str
    tried: bool = True


def outward_probes(name_servers: Sequence[IPv4Address], gateway: Mapping[str, int]) -> list[Probe]:
    """Return the ways out that have to be closed.

    Args:
        name_servers: Of the lab, which must not answer for the world.
        gateway: Addresses of the hypervisor's own gateway, and a TCP port of the host's loopback that is surely open:
            an open gateway would lead there.
    """
    found = [Probe(NO_DNS.name, "dns", address, 53) for address in (*RESOLVERS, *map(str, name_servers))]
    found += [Probe(NO_TCP.name, "tcp", address, port) for address in RESOLVERS for port in (53, 443)]
    found += [Probe(NO_TCP.name, "tcp", IPV6, 443)]
    found += [Probe(NO_TCP.name, "tcp", address, port) for address, port in gateway.items()]
    found += [Probe(NO_UDP.name, "quic", address, 443) for address in RESOLVERS]
    found += [Probe(NO_ICMP.name, "icmp", address) for address in RESOLVERS]
    found += [Probe(NO_NTP.name, "ntp", address, 123) for address in TIME_SERVERS]
    return found


def peer_probes(peers: Mapping[str, IPv4Address], ssh_port: int) -> list[Probe]:
    """Return what has to answer at each neighbour."""
    found = []
    for address in peers.values():
        found.append(Probe(PEERS.name, "icmp", str(address), 0, INWARD_S, patient=True))
        found.append(Probe(PEERS.name, "tcp", str(address), ssh_port, INWARD_S, patient=True))
    return found


def gateway_addresses(subnet: IPv4Network, open_port: int) -> dict[str, int]:
    """Return where the embedded hypervisor's gateway would lead to the host's loopback: see `vmrun_qemu.networks`."""
    return {str(subnet[-2]): open_port} if open_port else {}


def probe_command(questions: Sequence[Probe], registry: Mapping[str, object]) -> str:
    """Return the shell command that asks everything, the registry last, and prints the answers as JSON."""
    program = resources.files("harness.airgap").joinpath("guest_probe.py").read_text(encoding="utf-8")
    asked = json.dumps([*(asdict(question) for question in questions), registry])
    call = f"print(json.dumps(probe_all(json.loads({asked!r}))))"
    return f"python3 -c {shlex.quote(program.replace(chr(13), '') + call)}"


def registry_probe(address: IPv4Address, port: int, authority: str, pull: Pull | None) -> dict[str, object]:
    """Return the question to the registry.

    Args:
        authority: The certificate that its certificate is verified with; empty for the guest's own trust store.
        pull: The image to pull, or None where none was pushed.
    """
    question: dict[str, object] = {"kind": "registry", "address": str(address), "port": port, "seconds": INWARD_S}
    wanted = {"repository": pull.repository, "tag": pull.tag} if pull else {"repository": "", "tag": ""}
    return {**question, **wanted, "manifest": pull is not None, "type": MANIFEST_TYPE, "authority": authority}


def parse_results(text: str, count: int) -> tuple[ProbeResult, ...]:
    """Return the answers.

    Raises:
        ValueError: They are not `count` answers.
    """
    listed = json.loads(text)
    answers = tuple(ProbeResult(bool(item["open"]), str(item["said"]), bool(item["tried"])) for item in listed)
    if len(answers) != count:
        raise ValueError(f"{len(answers)} answers to {count} questions")
    return answers
