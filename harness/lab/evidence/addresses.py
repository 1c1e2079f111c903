"""The addresses that a guest has by the word of cloud-init on its console, or of its Tools. Pure."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network

# cloud-init's table of network devices, printed at each boot (cloudinit/netinfo.py):
# ci-info: | Device |   Up  |   Address    |      Mask     | Scope  |     Hw-Address    |
_DEVICE = re.compile(r"ci-info: \|\s*(?P<card>(?!lo\b)\w+)\s*\|\s*True\s*\|\s*(?P<address>\d+\.\d+\.\d+\.\d+)\s*\|")


def wrong_address(console: str, expected: str) -> str:
    """Return `the guest has 192.168.6.99, not 192.168.6.11`, or nothing where it has the right one or tells of none."""
    seen = list(dict.fromkeys(match["address"] for match in _DEVICE.finditer(console)))
    return f"the guest has {', '.join(seen)}, not {expected}" if seen and expected not in seen else ""


def tools_address(tools: IPv4Address | None, expected: IPv4Address, subnet: IPv4Network) -> str:
    """Return that Tools tell of another address of the lab's network, or nothing.

    One outside of it may be that of a bridge in the guest.
    """
    wrong = tools is not None and tools in subnet and tools != expected
    return f"Tools say that the guest has {tools}, not {expected}" if wrong else ""
