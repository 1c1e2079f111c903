"""setService, listServices, deleteService: TCP services of the host in a virtual network.

A service listens on the host's loopback and has an address of the network. QEMU reads the services at the start of a
network, so they are set while it is down.
"""

from __future__ import annotations

import ipaddress
import json
import sys
from collections.abc import Sequence

from harness.vmrun_qemu.base.messages import INVALID_PARAMETER, NOT_SUPPORTED, Failure, Flags, print_line
from harness.vmrun_qemu.commands.network import port_of
from harness.vmrun_qemu.network import definitions, switch
from harness.vmrun_qemu.network.definitions import Network, Service


def set_service(parameters: Sequence[str], _flags: Flags) -> int:
    """Set or replace the service at an address of the network.

    Setting the same service again is no change, and allowed while the network is up.

    Raises:
        Failure: A parameter is wrong, the network is up, or this is Windows.
    """
    if sys.platform == "win32":
        raise Failure(f"{NOT_SUPPORTED}: QEMU on Windows starts no command for a connection")
    network = definitions.get(parameters[0])
    service: Service = {
        "address": _address(network, parameters[1]),
        "port": port_of(parameters[2]),
        "host_port": port_of(parameters[3]),
    }
    with switch.locked(network.name):
        there = definitions.services(network.name)
        if service not in there:
            _save(network, [*_others(there, service["address"], service["port"]), service])
    return 0


def list_services(parameters: Sequence[str], _flags: Flags) -> int:
    """Print a JSON list of the network's services."""
    print_line(json.dumps(definitions.services(definitions.normal_name(parameters[0])), indent=1))
    return 0


def delete_service(parameters: Sequence[str], _flags: Flags) -> int:
    """Delete the service at an address, if there is one.

    Raises:
        Failure: A parameter is wrong, or the network is up.
    """
    network = definitions.get(parameters[0])
    with switch.locked(network.name):
        there = definitions.services(network.name)
        left = _others(there, _address(network, parameters[1]), port_of(parameters[2]))
        if left != there:
            _save(network, left)
    return 0


def _save(network: Network, wanted: list[Service]) -> None:
    if switch.load(network.name) is not None:
        raise Failure(f"{network.name} is in use: its services are set while all of its machines are off")
    definitions.save_services(network.name, wanted)


def _others(services: list[Service], address: str, port: int) -> list[Service]:
    return [one for one in services if (one["address"], one["port"]) != (address, port)]


def _address(network: Network, text: str) -> str:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError as error:
        raise Failure(f"{INVALID_PARAMETER}: {error}") from error
    if address not in network.subnet or str(address) in network.own_addresses:
        raise Failure(f"{INVALID_PARAMETER}: {address} is not a free address of {network.name} ({network.subnet})")
    return str(address)
