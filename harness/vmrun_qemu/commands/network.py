"""setPortForwarding, deletePortForwarding and defineNetwork: change a virtual network."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from harness.vmrun_qemu.base.messages import INVALID_PARAMETER, NOT_SUPPORTED, Failure, Flags
from harness.vmrun_qemu.network import definitions, switch
from harness.vmrun_qemu.network.definitions import Forward, Network


def set_forward(parameters: Sequence[str], _flags: Flags) -> int:
    """Forward a port of 127.0.0.1 to a guest.

    It holds now, if the network is up, and at each start of the network.

    Raises:
        Failure: A parameter is wrong, or another process has the port.
    """
    network = definitions.get(parameters[0])
    rule = _rule(network, parameters)
    if rule["protocol"] == "udp" and network.is_closed:
        # libslirp passes answers to incoming TCP connections; it drops every datagram of a restricted guest.
        raise Failure(f"{NOT_SUPPORTED}: {network.name} is host-only, and answers over UDP cannot leave it; use NAT")
    with switch.locked(network.name):
        rules = definitions.forwards(network.name)
        if rule in rules:
            return 0
        old = _same_port(rules, rule["protocol"], rule["host_port"])
        up = switch.load(network.name)
        taken = f"The host port {rule['host_port']}/{rule['protocol']} is already in use"
        if up is None and not switch.port_is_free(rule):
            raise Failure(taken)
        if up is not None and (complaint := _exchange(up["qmp"], old, rule)):
            raise Failure(f"{taken}: {complaint}")
        definitions.save_forwards(network.name, [other for other in rules if other != old] + [rule])
    return 0


def _exchange(address: str, old: Forward | None, rule: Forward) -> str:
    """Replace a rule in the switch; return QEMU's complaint, or nothing.

    With a complaint the old rule is restored.
    """
    if old is not None:
        switch.unforward(address, old)
    complaint = switch.forward(address, rule)
    if complaint and old is not None:
        switch.forward(address, old)
    return complaint


def delete_forward(parameters: Sequence[str], _flags: Flags) -> int:
    """Stop forwarding a port.

    Raises:
        Failure: It is not forwarded.
    """
    vmnet = definitions.normal_name(parameters[0])
    with switch.locked(vmnet):
        rules = definitions.forwards(vmnet)
        old = _same_port(rules, _protocol(parameters[1]), port_of(parameters[2]))
        if old is None:
            raise Failure(f"{INVALID_PARAMETER}: {parameters[1]} port {parameters[2]} is not forwarded")
        up = switch.load(vmnet)
        if up is not None:
            switch.unforward(up["qmp"], old)
        definitions.save_forwards(vmnet, [rule for rule in rules if rule != old])
    return 0


def define_network(parameters: Sequence[str], _flags: Flags) -> int:
    """Define subnet and kind of a network.

    No change is allowed while it is in use.

    Raises:
        Failure: The subnet is invalid, or VMs are connected.
    """
    name = definitions.normal_name(parameters[0])
    kinds = {"hostonly": "hostOnly", "nat": "nat"}
    kind = kinds.get(parameters[2].lower(), "") if len(parameters) > 2 else definitions.get(name).kind
    if not kind:
        raise Failure(f"{INVALID_PARAMETER}: {parameters[2]}")
    wanted = Network(name, kind, definitions.parse_subnet(parameters[1]))
    with switch.locked(name):
        if definitions.get(name) == wanted:
            return 0
        if switch.load(name) is not None:
            raise Failure(f"{name} is in use with the subnet {definitions.get(name).subnet}")
        definitions.define(wanted)
    return 0


def _rule(network: Network, parameters: Sequence[str]) -> Forward:
    try:
        guest = ipaddress.IPv4Address(parameters[3])
    except ValueError as error:
        raise Failure(f"{INVALID_PARAMETER}: {error}") from error
    if guest not in network.subnet:
        raise Failure(f"{INVALID_PARAMETER}: {guest} is not in {network.name} ({network.subnet})")
    return {
        "protocol": _protocol(parameters[1]),
        "host_port": port_of(parameters[2]),
        "guest_ip": str(guest),
        "guest_port": port_of(parameters[4]),
        "description": parameters[5] if len(parameters) > 5 else "",
    }


def _same_port(rules: list[Forward], protocol: str, port: int) -> Forward | None:
    return next((rule for rule in rules if (rule["protocol"], rule["host_port"]) == (protocol, port)), None)


def _protocol(text: str) -> str:
    if text.lower() not in ("tcp", "udp"):
        raise Failure(f"{INVALID_PARAMETER}: {text} is neither tcp nor udp")
    return text.lower()


def port_of(text: str) -> int:
    """Parse the number of a port.

    Raises:
        Failure: It is not one.
    """
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise Failure(f"{INVALID_PARAMETER}: {text} is not a port")
    return int(text)
