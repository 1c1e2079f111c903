"""listHostNetworks and listPortForwardings: read the definitions, ask no process.

They are apart from the verbs that change a network, whose lock takes three times as long to load.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.vmrun_qemu.base.messages import Flags, print_line
from harness.vmrun_qemu.network import definitions


def list_networks(_parameters: Sequence[str], _flags: Flags) -> int:
    """Print the networks as a table; there is no bridged network."""
    known = definitions.known()
    print_line(f"Total host networks: {len(known)}")
    print_line("INDEX  NAME         TYPE         DHCP         SUBNET           MASK")
    for network in known:
        index = network.name.removeprefix("vmnet")
        address, mask = network.subnet.network_address, network.subnet.netmask
        print_line(f"{index:<6} {network.name:<12} {network.kind:<12} {'true':<12} {address!s:<16} {mask}")
    return 0


def list_forwards(parameters: Sequence[str], _flags: Flags) -> int:
    """Print the port forwardings of a network, up or down."""
    rules = definitions.forwards(definitions.normal_name(parameters[0]))
    print_line(f"Total port forwardings: {len(rules)}")
    if rules:
        print_line("INDEX  PROTOCOL     HOST PORT    GUEST IP         GUEST PORT   DESCRIPTION")
    for index, rule in enumerate(rules):
        place = f"{rule['host_port']:<12} {rule['guest_ip']:<16} {rule['guest_port']:<12}"
        print_line(f"{index:<6} {rule['protocol']:<12} {place} {rule['description']}".rstrip())
    return 0
