"""Probes of a guest: every way out, every peer, the registry.

Pure, but for reading `guest_probe`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from ipaddress import IPv4Address, IPv4Network

from harness.airgap.checks import NO_DNS, NO_ICMP, NO_NTP, NO_TCP, NO_UDP, PEERS
from harness.airgap.registry_image import MANIFEST_TYPE
from harness.core.json_text import parse_json

# Public resolvers and time servers that answer worldwide on every probed protocol.
RESOLVERS = ("1.1.1.1", "8.8.8.8", "9.9.9.9")
TIME_SERVERS = ("162.159.200.1", "216.239.35.0")
IPV6 = "2606:4700:4700::1111"
# Protocol of each kind of probe at the gateway.
PROTOCOLS = {"dns": "udp", "icmp": "icmp", "ntp": "udp", "quic": "udp", "tcp": "tcp"}
# All probes run at once. In a correct lab the outward ones get no answer: OUTWARD_S is their cost.
OUTWARD_S = 3
INWARD_S = 60


@dataclass(frozen=True)
class Pull:
    """The image to pull; `manifest` and `layer` are the expected digests."""

    repository: str
    tag: str
    manifest: str
    layer: str


@dataclass(frozen=True)
class Probe:
    """One connection attempt of a guest.

    Attributes:
        check: Name of the check that judges the result.
        kind: The function of `guest_probe`.
        retry: Whether to repeat it until its timeout, because a peer may still boot.
    """

    check: str
    kind: str
    address: str
    port: int = 0
    timeout_s: int = OUTWARD_S
    retry: bool = False


@dataclass(frozen=True)
class ProbeResult:
    """Result of a probe.

    Attributes:
        open: Whether the target answered.
        detail: The answer or the error.
        tried: Whether the guest's own kernel let the probe go out.
    """

    open: bool
    detail: str
    tried: bool = True


def outward_probes(name_servers: Sequence[IPv4Address], gateway: Mapping[str, int]) -> list[Probe]:
    """Return the probes of all ways out, which must be closed.

    Args:
        name_servers: Name servers of the lab, which must not resolve public names.
        gateway: Address of the hypervisor's own gateway -> an open TCP port of the host's loopback; an open gateway
            would lead there.
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
    """Return the probes of each peer, which must answer."""
    found = []
    for address in peers.values():
        found.append(Probe(PEERS.name, "icmp", str(address), 0, INWARD_S, retry=True))
        found.append(Probe(PEERS.name, "tcp", str(address), ssh_port, INWARD_S, retry=True))
    return found


def gateway_addresses(subnet: IPv4Network, open_port: int) -> dict[str, int]:
    """Return the embedded gateway's address that would lead to the host.

    See `harness.vmrun_qemu.network.definitions`.
    """
    return {str(subnet[-2]): open_port} if open_port else {}


def probe_command(probes: Sequence[Probe], registry: Mapping[str, object]) -> str:
    """Return the shell command that runs all probes and prints JSON."""
    program = resources.files("harness.airgap").joinpath("guest_probe.py").read_text(encoding="utf-8")
    arguments = json.dumps([*(asdict(probe) for probe in probes), registry])
    call = f"print(json.dumps(probe_all(json.loads({arguments!r}))))"
    return f"python3 -c {shlex.quote(program.replace(chr(13), '') + call)}"


def registry_probe(address: IPv4Address, port: int, authority: str, pull: Pull | None) -> dict[str, object]:
    """Return the probe of the registry, with the arguments of its pull.

    Args:
        authority: File of the authority that verifies its certificate; empty for the guest's own trust store.
        pull: The image to pull, or None if none was pushed.
    """
    probe: dict[str, object] = {"kind": "registry", "address": str(address), "port": port, "timeout_s": INWARD_S}
    image = {"repository": pull.repository, "tag": pull.tag} if pull else {"repository": "", "tag": ""}
    return {**probe, **image, "manifest": pull is not None, "type": MANIFEST_TYPE, "authority": authority}


def parse_results(text: str, count: int) -> tuple[ProbeResult, ...]:
    """Parse the output of `probe_command`.

    Raises:
        ValueError: There are not `count` results.
    """
    items = parse_json(text)
    results = tuple(ProbeResult(bool(item["open"]), str(item["detail"]), bool(item["tried"])) for item in items)
    if len(results) != count:
        raise ValueError(f"{len(results)} results of {count} probes")
    return results
