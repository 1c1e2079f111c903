"""Virtual networks of the host, and the ports of the host that lead into them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network

from harness.vmrun.answers import counted
from harness.vmrun.call import VmrunProgram


class NetworkKind(StrEnum):
    """The type column of `listHostNetworks`; OTHER is a word that is not known here."""

    BRIDGED = "bridged"
    HOST_ONLY = "hostOnly"
    NAT = "nat"
    OTHER = "other"


class Protocol(StrEnum):
    """What a port forwarding carries."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True)
class HostNetwork:
    """One virtual network of the host; `subnet` is None where VMware says `empty` (a bridge)."""

    index: int
    name: str
    kind: NetworkKind
    dhcp: bool
    subnet: IPv4Network | None


@dataclass(frozen=True)
class PortForwarding:
    """One port of the host that leads to a port of a guest."""

    protocol: Protocol
    host_port: int
    guest_address: IPv4Address
    guest_port: int
    description: str = ""


_NETWORK = re.compile(r"^\s*(\d+)\s+(\S+)\s+(\S+)\s+(true|false)(?:\s+(\S+)\s+(\S+))?\s*$", re.IGNORECASE)
_FORWARDING = re.compile(r"^\s*\d+\s+(tcp|udp)\s+(\d+)\s+(\d+(?:\.\d+){3})\s+(\d+)(?:\s+(.*?))?\s*$", re.IGNORECASE)


class HostNetworks:
    """The network verbs of a `vmrun`; most of them want an administrator's rights on VMware."""

    def __init__(self, program: VmrunProgram) -> None:
        self._program = program

    def list_host_networks(self) -> tuple[HostNetwork, ...]:
        """Return the host's virtual networks; Workstation on Linux does not have this verb."""
        return self._program.parsed(parse_networks, "listHostNetworks")

    def list_port_forwardings(self, network: str) -> tuple[PortForwarding, ...]:
        """Return the ports of the host that lead into that network."""
        return self._program.parsed(parse_forwardings, "listPortForwardings", network)

    def set_port_forwarding(self, network: str, forwarding: PortForwarding) -> None:
        """Have that port of the host lead to the guest, in place of what it led to; VMware may want elevation."""
        words = [
            network,
            forwarding.protocol.value,
            str(forwarding.host_port),
            str(forwarding.guest_address),
            str(forwarding.guest_port),
        ]
        self._program.call("setPortForwarding", *words, *([forwarding.description] if forwarding.description else []))

    def delete_port_forwarding(self, network: str, forwarding: PortForwarding) -> None:
        """Have that port of the host lead nowhere."""
        self._program.call("deletePortForwarding", network, forwarding.protocol.value, str(forwarding.host_port))

    def define_network(self, vmnet: str, subnet: IPv4Network) -> None:
        """Have that virtual network be host-only with that subnet: an extension that only vmrun-qemu has.

        Raises:
            UsagePrinted: This is VMware's vmrun; its networks are defined in the Virtual Network Editor.
        """
        self._program.call("defineNetwork", vmnet, str(subnet))


def parse_networks(text: str) -> tuple[HostNetwork, ...]:
    """Return the rows of `listHostNetworks` (INDEX NAME TYPE DHCP SUBNET MASK).

    Raises:
        ValueError: There is no line `Total host networks: N`, or fewer rows than it says.
    """
    rows = _counted_rows(text, "Total host networks", _NETWORK)
    return tuple(
        HostNetwork(int(row[1]), row[2], _kind(row[3]), row[4].lower() == "true", _subnet(row[5], row[6]))
        for row in rows
    )


def parse_forwardings(text: str) -> tuple[PortForwarding, ...]:
    """Return the rows of `listPortForwardings` (INDEX, PROTOCOL, HOST PORT, GUEST IP, GUEST PORT, DESCRIPTION).

    Raises:
        ValueError: There is no line `Total port forwardings: N`, or fewer rows than it says.
    """
    rows = _counted_rows(text, "Total port forwardings", _FORWARDING)
    return tuple(
        PortForwarding(Protocol(row[1].lower()), int(row[2]), IPv4Address(row[3]), int(row[4]), row[5] or "")
        for row in rows
    )


def _counted_rows(text: str, title: str, row: re.Pattern[str]) -> list[re.Match[str]]:
    count, lines = counted(text, title)
    rows = [match for line in lines if (match := row.match(line))]
    if len(rows) != count:
        raise ValueError(f"`{title}: {count}`, but {len(rows)} rows can be read")
    return rows


def _kind(word: str) -> NetworkKind:
    known = {kind.value.lower(): kind for kind in NetworkKind}
    return known.get(word.lower(), NetworkKind.OTHER)


def _subnet(address: str | None, mask: str | None) -> IPv4Network | None:
    try:
        return IPv4Network(f"{address}/{mask}", strict=False)
    except ValueError:
        return None
