"""Compare reported addresses of a guest with the planned one. Pure."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network

# cloud-init's table of network devices, printed at each boot (cloudinit/netinfo.py):
# ci-info: | Device |   Up  |   Address    |      Mask     | Scope  |     Hw-Address    |
_DEVICE = re.compile(r"ci-info: \|\s*(?P<card>(?!lo\b)\w+)\s*\|\s*True\s*\|\s*(?P<address>\d+\.\d+\.\d+\.\d+)\s*\|")


def wrong_address(console: str, expected: str) -> str:
    """Return a text if cloud-init reports other addresses only.

    For example `the guest has 192.168.6.99, not 192.168.6.11`.
    """
    seen = list(dict.fromkeys(match["address"] for match in _DEVICE.finditer(console)))
    return f"the guest has {', '.join(seen)}, not {expected}" if seen and expected not in seen else ""


def tools_address(tools: IPv4Address | None, expected: IPv4Address, subnet: IPv4Network) -> str:
    """Return that Tools report another address of the lab's network, or nothing.

    An address outside of it may be that of a bridge in the guest.
    """
    wrong = tools is not None and tools in subnet and tools != expected
    return f"Tools report that the guest has {tools}, not {expected}" if wrong else ""
