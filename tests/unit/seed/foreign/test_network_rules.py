"""The network configuration by netplan's rules and the lab's plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from seed.foreign.ubuntu_iso import DATA, EXPECTED, checked, edited, good_files, mistakes, of_data, only, remarks

HEAD, _, REST = DATA.partition("  network:\n")
NO_NETWORK = HEAD + "  apt:" + REST.partition("  apt:")[2]
VERSION = "    version: 2\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (edited((VERSION, "")), "the network has no `version: 2`: netplan refuses it"),
        (edited((VERSION, "    vrsion: 2\n")), ":14: the network has no `version: 2`, but `vrsion`"),
        (edited(("addresses:", "adresses:")), ":19: netplan knows no key `adresses` here"),
        (edited(("ethernets:", "ethernet:")), "netplan knows no key `ethernet` here"),
        (edited(("          name:", "          nam:")), ":18: netplan knows no key `nam`"),
        (edited(("            via:", "            gateway:")), ":22: netplan knows no key `gateway`"),
        (edited(("10.20.0.5/16", "10.20.0.5")), ":19: the address 10.20.0.5 lacks its prefix"),
        (edited(("10.20.0.5/16", "10.20.0.5/24")), "it gives the prefix /24, and the lab's subnet is 10.20.0.0/16"),
        (edited(("10.20.0.5/16", "10.20.0.6/16")), "it gives the address 10.20.0.6, not 10.20.0.5"),
        (edited(("10.20.0.5/16", "10.20.0.500/16")), "10.20.0.500/16 is no address"),
        (edited(("addresses: [10.20.0.5/16]", "dhcp4: true")), "it has no static address"),
        (edited(("via: 10.20.0.1", "via: 10.20.0.254")), ":21: its default route leads to 10.20.0.254"),
        (edited(("to: default", "to: 10.0.0.0/8")), "it has no default route"),
        (NO_NETWORK, "it has no network configuration"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path: Path, data: str, words: str) -> None:
    assert any(words in text for text in of_data(tmp_path, data))


def test_the_configuration_may_lie_beside_user_data(tmp_path: Path) -> None:
    text = "network:\n" + REST.partition("  apt:")[0]
    files = good_files(data=NO_NETWORK) | {"conf/network-config": text.encode()}
    assert mistakes(checked(tmp_path, files)) == []
    wrong = files | {"conf/network-config": text.replace("/16", "").encode()}
    assert only(mistakes(checked(tmp_path, wrong)), "/conf/network-config:7: ")


def test_another_level_and_a_bond_are_read(tmp_path: Path) -> None:
    network = (
        "  network:\n    network:\n      version: 2\n      bonds:\n        b0:\n          interfaces: [a]\n"
        "          addresses: [10.20.0.5/16]\n          gateway4: 10.20.0.1\n"
    )
    info = checked(tmp_path, good_files(data=HEAD + network + "  apt:" + REST.partition("  apt:")[2]))
    assert mistakes(info) == []
    assert info.address == "10.20.0.5"
    assert any("deprecated" in text for text in remarks(info))


def test_a_card_that_vmware_does_not_name_so_is_a_remark(tmp_path: Path) -> None:
    info = checked(tmp_path, good_files(data=edited(("en*", "eth0"))))
    assert mistakes(info) == []
    assert any("no card of a VMware machine is named eth0" in text for text in remarks(info))


def test_a_card_is_compared_with_the_address_of_the_lab_file(tmp_path: Path) -> None:
    data = edited(('name: "en*"', 'macaddress: "00:50:56:00:00:0a"'))
    expected = replace(EXPECTED, mac="00:50:56:00:00:0b")
    assert only(of_data(tmp_path, data, expected), "it matches the card 00:50:56:00:00:0a")
    assert of_data(tmp_path, data) == []
