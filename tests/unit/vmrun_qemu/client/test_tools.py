"""What the guest's agent reports of its addresses."""

from __future__ import annotations

from typing import Any

from harness.vmrun_qemu.client.tools import first_address


def test_the_first_useful_ipv4_address_counts() -> None:
    def interface(*addresses: str) -> dict[str, Any]:
        kinds = {True: "ipv6", False: "ipv4"}
        return {"ip-addresses": [{"ip-address": a, "ip-address-type": kinds[":" in a]} for a in addresses]}

    usual = [interface("127.0.0.1", "::1"), {"name": "down"}, interface("fe80::1", "169.254.0.3", "192.168.6.10")]
    assert first_address(usual) == "192.168.6.10"
    assert first_address(usual[:2]) == ""
    assert first_address([]) == ""
