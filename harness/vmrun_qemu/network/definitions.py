"""The virtual networks that machines can be plugged into: their names, kinds and subnets, and what is forwarded.

`vmnet1` is host-only and `vmnet8` is NAT, as VMware installs them. A host-only network is closed: its machines reach
each other and nothing else. Nothing of it exists on the host but ports on 127.0.0.1 that are forwarded into it, on a
host-only network too, because the host has no address in it.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.endpoint import quoted
from harness.vmrun_qemu.base.messages import INVALID_PARAMETER, Failure
from harness.vmrun_qemu.network import guestfwd

_DEFAULTS = {"vmnet1": ("hostOnly", "192.168.6.0/24"), "vmnet8": ("nat", "192.168.80.0/24")}
_NAME = re.compile(r"^vmnet([1-9]|1\d)$")  # vmnet0 is the bridge; VMware has 20 networks


class Forward(TypedDict):
    """A port of the host's loopback that leads to a guest."""

    protocol: str
    host_port: int
    guest_ip: str
    guest_port: int
    description: str


class Service(TypedDict):
    """An address and TCP port of a network at which a service of the host's loopback answers the guests."""

    address: str
    port: int
    host_port: int


@dataclass(frozen=True)
class Network:
    """A virtual network; `kind` is `hostOnly` or `nat`."""

    name: str
    kind: str
    subnet: ipaddress.IPv4Network

    @property
    def is_closed(self) -> bool:
        """Whether its machines reach each other and nothing else."""
        return self.kind != "nat"

    @property
    def gateway(self) -> str:
        """The address that this program itself uses in the network.

        On NAT it is `.2`, as in VMware. On a closed network it is the last one, so that the lab may give `.1` to a
        machine or a service.
        """
        return str(self.subnet[-2] if self.is_closed else self.subnet[2])

    @property
    def name_server(self) -> str:
        """The address at which this program would answer for names."""
        return str(self.subnet[-3] if self.is_closed else self.subnet[3])

    @property
    def own_addresses(self) -> tuple[str, ...]:
        """The addresses that no machine and no service can have."""
        return (str(self.subnet[0]), self.gateway, self.name_server, str(self.subnet[-1]))

    def slirp(self, services: Sequence[Service] = ()) -> str:
        """Return QEMU's `-netdev user` for this network: DHCP from the middle of the subnet on, IPv4 only.

        A closed network lets its guests reach these services and nothing else outside of it. QEMU starts one `pipe`
        per connection: the form of `guestfwd` with an address in place of a command has one connection in all.
        """
        options = {
            "net": str(self.subnet),
            "host": self.gateway,
            "dns": self.name_server,
            "dhcpstart": str(self.subnet[self.subnet.num_addresses // 2]),
            "restrict": "on" if self.is_closed else "off",
            "ipv6": "off",
        }
        ways = [_way(service) for service in services]
        return "user,id=gateway," + ",".join([*(f"{key}={value}" for key, value in options.items()), *ways])


def _way(service: Service) -> str:
    command = shlex.join([sys.executable, "-IS", guestfwd.__file__, str(service["host_port"])])
    return quoted(f"guestfwd=tcp:{service['address']}:{service['port']}-cmd:{command}")


def normal_name(name: str) -> str:
    """Return `vmnetN` for any spelling of a network's name.

    Raises:
        Failure: There can be no such network.
    """
    plain = name.lower().replace("/dev/", "")
    if not _NAME.match(plain):
        raise Failure(f"{INVALID_PARAMETER}: no such network {name!r}")
    return plain


def get(name: str) -> Network:
    """Return a network: from `VMRUN_QEMU_NETWORKS`, else as it was defined, else by default.

    Raises:
        Failure: There can be no such network, or the environment names a subnet that is none.
    """
    plain = normal_name(name)
    number = int(plain.removeprefix("vmnet"))
    kind, subnet = _DEFAULTS.get(plain, ("hostOnly", f"192.168.{100 + number}.0/24"))
    defined = _defined().get(plain)
    if defined:
        kind, subnet = defined
    return Network(plain, kind, parse_subnet(_from_environment().get(plain, subnet)))


def known() -> list[Network]:
    """Return the two networks that always exist and those that were defined, by number."""
    names = {*_DEFAULTS, *_defined(), *_from_environment()}
    return [get(name) for name in sorted(names, key=lambda name: int(name.removeprefix("vmnet")))]


def define(network: Network) -> None:
    """Remember the network."""
    home.write_json(home.root() / "networks.json", {**_defined(), network.name: [network.kind, str(network.subnet)]})


def parse_subnet(text: str) -> ipaddress.IPv4Network:
    """Return a subnet with room for a gateway, a name server and guests.

    Raises:
        Failure: It is none.
    """
    try:
        subnet = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise Failure(f"{INVALID_PARAMETER}: {error}") from error
    if not 8 <= subnet.prefixlen <= 28:
        raise Failure(f"{INVALID_PARAMETER}: {text} must have a prefix length from 8 to 28")
    return subnet


def forwards(vmnet: str) -> list[Forward]:
    """Return the ports that are forwarded into the network, whether or not it is up."""
    return list(home.read_json(home.net_dir(vmnet) / "forwards.json") or [])


def services(vmnet: str) -> list[Service]:
    """Return the services of the host that the network's guests reach, whether or not it is up."""
    return list(home.read_json(home.net_dir(vmnet) / "services.json") or [])


def save_services(vmnet: str, wanted: list[Service]) -> None:
    """Remember the services."""
    home.write_json(home.net_dir(vmnet) / "services.json", wanted)


def save_forwards(vmnet: str, wanted: list[Forward]) -> None:
    """Remember the forwarded ports."""
    home.write_json(home.net_dir(vmnet) / "forwards.json", wanted)


def _defined() -> dict[str, tuple[str, str]]:
    stored = home.read_json(home.root() / "networks.json")
    return {name: (kind, subnet) for name, (kind, subnet) in stored.items()} if isinstance(stored, dict) else {}


def _from_environment() -> dict[str, str]:
    """Return `vmnet1=192.168.6.0/24,vmnet2=…` of `VMRUN_QEMU_NETWORKS` as a mapping."""
    pairs = [item.split("=", 1) for item in os.environ.get("VMRUN_QEMU_NETWORKS", "").split(",") if "=" in item]
    return {normal_name(name.strip()): subnet.strip() for name, subnet in pairs}
