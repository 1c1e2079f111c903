from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from harness.lab.evidence.addresses import tools_address, wrong_address

HEAD = "ci-info: | Device |   Up  |   Address    |      Mask     | Scope  |     Hw-Address    |\n"
CARD = "[   31.2] cloud-init[201]: ci-info: |  ens32 |  True | 192.168.6.99 | 255.255.255.0 | global |\n"
LOOP = "ci-info: |   lo   |  True |  127.0.0.1   |   255.0.0.0   |  host  |         .         |\n"


def test_another_address_is_reported() -> None:
    assert wrong_address(HEAD + CARD + LOOP, "192.168.6.11") == "the guest has 192.168.6.99, not 192.168.6.11"


@pytest.mark.parametrize("console", ["", HEAD, HEAD + LOOP, HEAD + CARD.replace("True", "False")])
def test_a_guest_that_reports_no_address_is_not_accused(console: str) -> None:
    assert wrong_address(console, "192.168.6.11") == ""


def test_the_right_address_may_be_one_of_several() -> None:
    assert wrong_address(HEAD + CARD + CARD.replace(".99", ".11").replace("ens32", "ens33"), "192.168.6.11") == ""


@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        ("192.168.6.99", "Tools report that the guest has 192.168.6.99, not 192.168.6.11"),
        ("192.168.6.11", ""),
        ("172.17.0.1", ""),
        (None, ""),
    ],
)
def test_tools_report_another_address_of_the_labs_network(tools: str | None, expected: str) -> None:
    address = IPv4Address(tools) if tools else None
    assert tools_address(address, IPv4Address("192.168.6.11"), IPv4Network("192.168.6.0/24")) == expected
