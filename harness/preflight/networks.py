"""VMware's virtual networks, from `vmrun listHostNetworks` or VMware's files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from harness.config.model import NetworkSpec
from harness.core.errors import HarnessError, HostError
from harness.core.text import decode
from harness.preflight.facts import Network
from harness.system.windows.registry import Registry
from harness.system.windows.vmware_install import network_subnet
from harness.vmrun.discovery import Kind
from harness.vmrun.driver import Vmrun
from harness.vmrun.networks import HostNetwork, NetworkKind

_LINUX_FILE = Path("/etc/vmware/networking")
_FUSION_FILE = Path("/Library/Preferences/VMware Fusion/networking")
_ANSWER = re.compile(r"^\s*answer\s+VNET_(\d+)_(\w+)\s+(\S+)\s*$", re.MULTILINE)
_BRIDGED = re.compile(r"^\s*add_bridge_mapping\s+\S+\s+(\d+)\s*$", re.MULTILINE)
_NETMAP = re.compile(r'^\s*network(\d+)\.(name|device)\s*=\s*"([^"]*)"', re.MULTILINE)
_SUBNET = re.compile(r"^\s*subnet\s+([\d.]+)\s+netmask\s+([\d.]+)", re.MULTILINE)
_HOST = re.compile(r"^\s*host\s+(\S+)\s*\{([^}]*)\}", re.MULTILINE | re.IGNORECASE)
_FIXED = re.compile(r"fixed-address\s+([\d.]+)")


def find_network(
    kind: Kind,
    vmrun: Vmrun,
    spec: NetworkSpec,
    platform: str,
    windows_registry: Registry,
    *,
    linux_file: Path = _LINUX_FILE,
) -> Network:
    """Return the lab's network; the embedded hypervisor defines it first.

    Raises:
        HarnessError: Neither vmrun nor VMware's files answer.
    """
    vmnet = spec.vmnet
    if kind is Kind.EMBEDDED:
        vmrun.networks.define_network(vmnet, spec.subnet)
        return Network(network_named(vmrun.networks.list_host_networks(), vmnet), "vmrun listHostNetworks")
    try:
        return Network(network_named(vmrun.networks.list_host_networks(), vmnet), "vmrun listHostNetworks")
    except HarnessError as error:
        file = _FUSION_FILE if platform == "darwin" else linux_file
        return _from_files(vmnet, file, windows_registry if platform == "win32" else None, error)


def network_named(networks: tuple[HostNetwork, ...], vmnet: str) -> HostNetwork | None:
    """Return the network with that name, ignoring case, or None."""
    return next((network for network in networks if network.name.lower() == vmnet.lower()), None)


def _from_files(vmnet: str, file: Path, windows_registry: Registry | None, first: HarnessError) -> Network:
    try:
        if windows_registry is not None:
            return _from_windows(vmnet, windows_registry)
        return Network(parse_networking(decode(file.read_bytes()), vmnet), str(file))
    except OSError as error:
        what = f"{first.what}; and {error.filename}: {error.strerror}"
        raise HostError(what, detail=first.detail, remedy=first.remedy) from first


def _from_windows(vmnet: str, windows_registry: Registry) -> Network:
    """Return the network from the DHCP server's file or the Windows registry.

    A network without DHCP is only in the Windows registry. Its kind is only in `netmap.conf`.
    """
    folder = Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "VMware"
    dhcp = folder / "vmnetdhcp.conf"
    netmap = folder / "netmap.conf"
    kinds = parse_netmap(decode(netmap.read_bytes()) if netmap.is_file() else "")
    subnet = network_subnet(windows_registry, vmnet)
    found = parse_dhcp(decode(dhcp.read_bytes()), kinds, vmnet) if dhcp.is_file() or subnet is None else None
    if found is None and subnet is not None:
        number = _number(vmnet)
        kind = kinds.get(number, NetworkKind.OTHER)
        network = HostNetwork(number, f"vmnet{number}", kind, dhcp=False, subnet=subnet)
        return Network(network, "the Windows registry")
    return Network(found, str(dhcp))


def parse_networking(text: str, vmnet: str) -> HostNetwork | None:
    """Parse a network in `/etc/vmware/networking`.

    It has lines `answer VNET_1_HOSTONLY_SUBNET 192.168.6.0`; a bridge has a line `add_bridge_mapping eth0 2` with its
    number.
    """
    number = _number(vmnet)
    answers = {key: value for index, key, value in _ANSWER.findall(text) if int(index) == number}
    if not answers:
        return None
    kind = NetworkKind.NAT if answers.get("NAT", "no") == "yes" else NetworkKind.HOST_ONLY
    if str(number) in _BRIDGED.findall(text):
        kind = NetworkKind.BRIDGED
    return HostNetwork(
        index=number,
        name=f"vmnet{number}",
        kind=kind,
        dhcp=answers.get("DHCP", "no") == "yes",
        subnet=_network(answers.get("HOSTONLY_SUBNET"), answers.get("HOSTONLY_NETMASK")),
    )


def parse_netmap(text: str) -> Mapping[int, NetworkKind]:
    """Parse `netmap.conf`: network number -> kind.

    It has pairs `networkN.name`, `networkN.device`. The name gives the kind of VMware's own three networks; an added
    one is called `VMnet2` or the like and may be of any kind.
    """
    rows: dict[str, dict[str, str]] = {}
    for index, key, value in _NETMAP.findall(text):
        rows.setdefault(index, {})[key] = value
    words = {"bridged": NetworkKind.BRIDGED, "hostonly": NetworkKind.HOST_ONLY, "nat": NetworkKind.NAT}
    return {
        _number(row["device"]): words.get(row.get("name", "").lower(), NetworkKind.OTHER)
        for row in rows.values()
        if "device" in row
    }


def parse_dhcp(text: str, kinds: Mapping[int, NetworkKind], vmnet: str) -> HostNetwork | None:
    """Parse a network in `vmnetdhcp.conf`.

    Its subnet is the one with the fixed address of `host VMnetN`.
    """
    number = _number(vmnet)
    for name, block in _HOST.findall(text):
        fixed = _FIXED.search(block)
        if _number(name) != number or fixed is None:
            continue
        subnets = (_network(address, mask) for address, mask in _SUBNET.findall(text))
        subnet = next((item for item in subnets if item and IPv4Address(fixed[1]) in item), None)
        kind = kinds.get(number, NetworkKind.OTHER)
        return HostNetwork(number, f"vmnet{number}", kind, dhcp=True, subnet=subnet)
    return None


def _number(name: str) -> int:
    match = re.search(r"(\d+)$", name)
    return int(match[1]) if match else -1


def _network(address: str | None, mask: str | None) -> IPv4Network | None:
    try:
        return IPv4Network(f"{address}/{mask}", strict=False)
    except ValueError:
        return None
