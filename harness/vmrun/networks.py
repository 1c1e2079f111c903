"""Virtual networks of the host, and the ports of the host that lead into them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from harness.vmrun.invocation import VmrunProgram
from harness.vmrun.parse import counted


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


@dataclass(frozen=True)
class Service:
    """An address and TCP port of a network at which a port of the host's loopback answers the guests."""

    address: IPv4Address
    port: int
    host_port: int


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

    def list_services(self, vmnet: str) -> tuple[Service, ...]:
        """Return the services of the host that answer the network's guests: an extension of vmrun-qemu's."""
        return self._program.parsed(parse_services, "listServices", vmnet)

    def set_service(self, vmnet: str, service: Service) -> None:
        """Have that service answer the network's guests: an extension of vmrun-qemu's.

        Raises:
            VmrunError: The network is up and leads elsewhere.
        """
        self._program.call("setService", vmnet, str(service.address), str(service.port), str(service.host_port))

    def start_record(self, vmnet: str, directory: Path) -> None:
        """Have what passes the network's gateway in pcap files there: an extension of vmrun-qemu's."""
        self._program.call("startRecord", vmnet, directory)

    def stop_record(self, vmnet: str) -> None:
        """Have nothing recorded any more: an extension of vmrun-qemu's."""
        self._program.call("stopRecord", vmnet)

    def list_connections(self, vmnet: str) -> tuple[dict[str, str], ...]:
        """Return what the network's gateway has open, a row each: an extension of vmrun-qemu's."""
        return self._program.parsed(parse_rows, "listConnections", vmnet)


def parse_rows(text: str) -> tuple[dict[str, str], ...]:
    """Return the objects of a JSON list, their values as text.

    Raises:
        ValueError: It is no such list.
    """
    rows = json.loads(text)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("not a list of objects")
    return tuple({str(key): str(value) for key, value in row.items()} for row in rows)


def parse_services(text: str) -> tuple[Service, ...]:
    """Return the rows of `listServices`.

    Raises:
        ValueError: A row is none.
    """
    try:
        rows = parse_rows(text)
        return tuple(Service(IPv4Address(row["address"]), int(row["port"]), int(row["host_port"])) for row in rows)
    except KeyError as error:
        raise ValueError(f"a service without {error}") from error


def parse_networks(text: str) -> tuple[HostNetwork, ...]:
    """Return the rows of `listHostNetworks` (INDEX NAME TYPE DHCP SUBNET MASK).

    Raises:
        ValueError: There is no line `Total host networks: N`, or not as many rows as it says.
    """
    rows = _counted_rows(text, "Total host networks", _NETWORK)
    return tuple(
        HostNetwork(int(row[1]), row[2], _kind(row[3]), row[4].lower() == "true", _subnet(row[5], row[6]))
        for row in rows
    )


def parse_forwardings(text: str) -> tuple[PortForwarding, ...]:
    """Return the rows of `listPortForwardings` (INDEX, PROTOCOL, HOST PORT, GUEST IP, GUEST PORT, DESCRIPTION).

    Raises:
        ValueError: There is no line `Total port forwardings: N`, or not as many rows as it says.
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
