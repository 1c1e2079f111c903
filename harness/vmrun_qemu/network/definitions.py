"""Definitions of virtual networks: names, kinds, subnets, forwarded ports, services.

`vmnet1` is host-only and `vmnet8` is NAT, as VMware installs them. The VMs of a host-only network reach
each other and nothing else. On the host, a network of either kind consists of forwarded ports on 127.0.0.1 only,
because the host has no address in it.
"""

from __future__ import annotations

import ipaddress
import os
import re
from typing import NamedTuple, TypedDict

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import INVALID_PARAMETER, Failure

_DEFAULTS = {"vmnet1": ("hostOnly", "192.168.6.0/24"), "vmnet8": ("nat", "192.168.80.0/24")}
_NAME = re.compile(r"^vmnet([1-9]|1\d)$")  # vmnet0 is the bridge; VMware has 20 networks


class Forward(TypedDict):
    """A port on the host's loopback that is forwarded to a guest."""

    protocol: str
    host_port: int
    guest_ip: str
    guest_port: int
    description: str


class Service(TypedDict):
    """A service on the host's loopback, offered to guests at `address`:`port`."""

    address: str
    port: int
    host_port: int


class Network(NamedTuple):
    """A virtual network; `kind` is `hostOnly` or `nat`."""

    name: str
    kind: str
    subnet: ipaddress.IPv4Network

    @property
    def is_closed(self) -> bool:
        """Whether its VMs reach each other and nothing else."""
        return self.kind != "nat"

    @property
    def gateway(self) -> str:
        """The address of the gateway.

        On NAT it is `.2`, as in VMware. On a closed network it is the last one, so that the lab may give `.1` to a
        VM or a service.
        """
        return str(self.subnet[-2] if self.is_closed else self.subnet[2])

    @property
    def name_server(self) -> str:
        """The address of the name server."""
        return str(self.subnet[-3] if self.is_closed else self.subnet[3])

    @property
    def own_addresses(self) -> tuple[str, ...]:
        """The addresses that no VM and no service can have."""
        return (str(self.subnet[0]), self.gateway, self.name_server, str(self.subnet[-1]))


def normal_name(name: str) -> str:
    """Return `vmnetN` for any spelling of a network's name.

    Raises:
        Failure: The name is invalid.
    """
    plain = name.lower().replace("/dev/", "")
    if not _NAME.match(plain):
        raise Failure(f"{INVALID_PARAMETER}: no such network {name!r}")
    return plain


def get(name: str) -> Network:
    """Return a network.

    `VMRUN_QEMU_NETWORKS` takes precedence over `defineNetwork`, and that over the default.

    Raises:
        Failure: The name is invalid, or the environment names an invalid subnet.
    """
    plain = normal_name(name)
    number = int(plain.removeprefix("vmnet"))
    kind, subnet = _DEFAULTS.get(plain, ("hostOnly", f"192.168.{100 + number}.0/24"))
    defined = _defined().get(plain)
    if defined:
        kind, subnet = defined
    return Network(plain, kind, parse_subnet(_from_environment().get(plain, subnet)))


def known() -> list[Network]:
    """Return the two default networks and all defined ones, by number."""
    names = {*_DEFAULTS, *_defined(), *_from_environment()}
    return [get(name) for name in sorted(names, key=lambda name: int(name.removeprefix("vmnet")))]


def define(network: Network) -> None:
    """Save the network."""
    home.write_json(home.root() / "networks.json", {**_defined(), network.name: [network.kind, str(network.subnet)]})


def parse_subnet(text: str) -> ipaddress.IPv4Network:
    """Parse a subnet with room for gateway, name server and guests.

    Raises:
        Failure: It is invalid.
    """
    try:
        subnet = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise Failure(f"{INVALID_PARAMETER}: {error}") from error
    if not 8 <= subnet.prefixlen <= 28:
        raise Failure(f"{INVALID_PARAMETER}: {text} must have a prefix length from 8 to 28")
    return subnet


def forwards(vmnet: str) -> list[Forward]:
    """Return the ports that are forwarded into the network."""
    return list(home.read_json(home.net_dir(vmnet) / "forwards.json") or [])


def services(vmnet: str) -> list[Service]:
    """Return the host services that the network's guests reach."""
    return list(home.read_json(home.net_dir(vmnet) / "services.json") or [])


def save_services(vmnet: str, wanted: list[Service]) -> None:
    """Save the services."""
    home.write_json(home.net_dir(vmnet) / "services.json", wanted)


def save_forwards(vmnet: str, wanted: list[Forward]) -> None:
    """Save the forwarded ports."""
    home.write_json(home.net_dir(vmnet) / "forwards.json", wanted)


def _defined() -> dict[str, tuple[str, str]]:
    stored = home.read_json(home.root() / "networks.json")
    return {name: (kind, subnet) for name, (kind, subnet) in stored.items()} if isinstance(stored, dict) else {}


def _from_environment() -> dict[str, str]:
    """Return `vmnet1=192.168.6.0/24,vmnet2=…` of `VMRUN_QEMU_NETWORKS` as a mapping."""
    pairs = [item.split("=", 1) for item in os.environ.get("VMRUN_QEMU_NETWORKS", "").split(",") if "=" in item]
    return {normal_name(name.strip()): subnet.strip() for name, subnet in pairs}
