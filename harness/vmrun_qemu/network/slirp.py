"""The gateway of a virtual network: the text of its `-netdev` option."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from harness.vmrun_qemu.base.endpoint import quoted
from harness.vmrun_qemu.network import guestfwd
from harness.vmrun_qemu.network.definitions import Network, Service


def gateway_option(network: Network, services: Sequence[Service] = ()) -> str:
    """Return QEMU's `-netdev user` for a network.

    DHCP begins in the middle of the subnet; IPv4 only. Guests of a closed network reach these services and nothing else
    outside of it. QEMU starts one `guestfwd` process per connection: the form of its option with an address instead of
    a command allows one connection in all.
    """
    subnet = network.subnet
    options = {
        "net": str(subnet),
        "host": network.gateway,
        "dns": network.name_server,
        "dhcpstart": str(subnet[subnet.num_addresses // 2]),
        "restrict": "on" if network.is_closed else "off",
        "ipv6": "off",
    }
    guestfwds = [_guestfwd_option(service) for service in services]
    return "user,id=gateway," + ",".join([*(f"{key}={value}" for key, value in options.items()), *guestfwds])


def _guestfwd_option(service: Service) -> str:
    command = shlex.join([sys.executable, "-IS", guestfwd.__file__, str(service["host_port"])])
    return quoted(f"guestfwd=tcp:{service['address']}:{service['port']}-cmd:{command}")
