"""Virtual networks of the host and their port forwardings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from harness.core.json_text import parse_json
from harness.vmrun.invocation import VmrunProgram
from harness.vmrun.parse import parse_counted


class NetworkKind(StrEnum):
    """The type column of `listHostNetworks`; OTHER stands for unknown types."""

    BRIDGED = "bridged"
    HOST_ONLY = "hostOnly"
    NAT = "nat"
    OTHER = "other"


class Protocol(StrEnum):
    """The protocol of a port forwarding."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True)
class HostNetwork:
    """One virtual network of the host.

    Attributes:
        subnet: None if VMware prints `empty` (a bridge).
    """

    index: int
    name: str
    kind: NetworkKind
    dhcp: bool
    subnet: IPv4Network | None


@dataclass(frozen=True)
class PortForwarding:
    """A port of the host that is forwarded to a guest."""

    protocol: Protocol
    host_port: int
    guest_address: IPv4Address
    guest_port: int
    description: str = ""


@dataclass(frozen=True)
class Service:
    """A loopback port of the host that guests reach in their network.

    Attributes:
        address: The address in the network.
        port: The TCP port at that address.
        host_port: The loopback port of the host.
    """

    address: IPv4Address
    port: int
    host_port: int


_NETWORK = re.compile(r"^\s*(\d+)\s+(\S+)\s+(\S+)\s+(true|false)(?:\s+(\S+)\s+(\S+))?\s*$", re.IGNORECASE)
_FORWARDING = re.compile(r"^\s*\d+\s+(tcp|udp)\s+(\d+)\s+(\d+(?:\.\d+){3})\s+(\d+)(?:\s+(.*?))?\s*$", re.IGNORECASE)


class HostNetworks:
    """The network verbs of a `vmrun`.

    VMware requires the rights of an administrator for most of them.
    """

    def __init__(self, program: VmrunProgram) -> None:
        self._program = program

    def list_host_networks(self) -> tuple[HostNetwork, ...]:
        """Return the host's virtual networks; Workstation on Linux lacks this verb."""
        return self._program.query(parse_networks, "listHostNetworks")

    def list_port_forwardings(self, network: str) -> tuple[PortForwarding, ...]:
        """Return the port forwardings of that network."""
        return self._program.query(parse_forwardings, "listPortForwardings", network)

    def set_port_forwarding(self, network: str, forwarding: PortForwarding) -> None:
        """Forward a host port to the guest, replacing an existing forwarding.

        VMware may require elevation.
        """
        words = [
            network,
            forwarding.protocol.value,
            str(forwarding.host_port),
            str(forwarding.guest_address),
            str(forwarding.guest_port),
        ]
        self._program.call("setPortForwarding", *words, *([forwarding.description] if forwarding.description else []))

    def delete_port_forwarding(self, network: str, forwarding: PortForwarding) -> None:
        """Delete the forwarding of that host port."""
        self._program.call("deletePortForwarding", network, forwarding.protocol.value, str(forwarding.host_port))

    def define_network(self, vmnet: str, subnet: IPv4Network) -> None:
        """Define a host-only network with that subnet.

        An extension that only vmrun-qemu has.

        Raises:
            UsagePrinted: This is VMware's vmrun; its networks are defined in the Virtual Network Editor.
        """
        self._program.call("defineNetwork", vmnet, str(subnet))

    def list_services(self, vmnet: str) -> tuple[Service, ...]:
        """Return the services that guests of the network reach.

        An extension that only vmrun-qemu has.
        """
        return self._program.query(parse_services, "listServices", vmnet)

    def set_service(self, vmnet: str, service: Service) -> None:
        """Add or replace a service that guests of the network reach.

        An extension that only vmrun-qemu has.

        Raises:
            VmrunError: The network is up and leads elsewhere.
        """
        self._program.call("setService", vmnet, str(service.address), str(service.port), str(service.host_port))

    def start_record(self, vmnet: str, directory: Path) -> None:
        """Record the traffic of the network's gateway in pcap files.

        An extension that only vmrun-qemu has.
        """
        self._program.call("startRecord", vmnet, directory)

    def stop_record(self, vmnet: str) -> None:
        """Stop the record of the network's traffic.

        An extension that only vmrun-qemu has.
        """
        self._program.call("stopRecord", vmnet)

    def list_connections(self, vmnet: str) -> tuple[dict[str, str], ...]:
        """Return the open connections of the network's gateway, one row each.

        An extension that only vmrun-qemu has.
        """
        return self._program.query(parse_rows, "listConnections", vmnet)


def parse_rows(text: str) -> tuple[dict[str, str], ...]:
    """Parse a JSON list of objects, with their values as text.

    Raises:
        ValueError: It is no such list.
    """
    rows = parse_json(text)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("not a list of objects")
    return tuple({str(key): str(value) for key, value in row.items()} for row in rows)


def parse_services(text: str) -> tuple[Service, ...]:
    """Parse the rows of `listServices`.

    Raises:
        ValueError: A row is malformed.
    """
    try:
        rows = parse_rows(text)
        return tuple(Service(IPv4Address(row["address"]), int(row["port"]), int(row["host_port"])) for row in rows)
    except KeyError as error:
        raise ValueError(f"a service without {error}") from error


def parse_networks(text: str) -> tuple[HostNetwork, ...]:
    """Parse the output of `listHostNetworks`.

    The columns are INDEX, NAME, TYPE, DHCP, SUBNET and MASK.

    Raises:
        ValueError: There is no line `Total host networks: N`, or not N rows.
    """
    rows = _counted_rows(text, "Total host networks", _NETWORK)
    return tuple(
        HostNetwork(int(row[1]), row[2], _kind(row[3]), row[4].lower() == "true", _subnet(row[5], row[6]))
        for row in rows
    )


def parse_forwardings(text: str) -> tuple[PortForwarding, ...]:
    """Parse the output of `listPortForwardings`.

    The columns are INDEX, PROTOCOL, HOST PORT, GUEST IP, GUEST PORT and DESCRIPTION.

    Raises:
        ValueError: There is no line `Total port forwardings: N`, or not N rows.
    """
    rows = _counted_rows(text, "Total port forwardings", _FORWARDING)
    return tuple(
        PortForwarding(Protocol(row[1].lower()), int(row[2]), IPv4Address(row[3]), int(row[4]), row[5] or "")
        for row in rows
    )


def _counted_rows(text: str, title: str, row: re.Pattern[str]) -> list[re.Match[str]]:
    count, lines = parse_counted(text, title)
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
