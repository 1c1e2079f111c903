"""The inventory of a guest against its plan."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface

import pytest
from guest_inventory import GOOD_INVENTORY

from harness.guest import inventory
from harness.guest.inventory import Planned

KEY = "ssh-ed25519 AAAAKEY"
PLANNED = Planned(IPv4Interface("192.168.6.10/24"), IPv4Address("192.168.6.1"), 22, "ubuntu", KEY, False, False)
SYSCTL, MODULES = {"net.ipv4.ip_forward": "1"}, ("overlay",)
GOOD = inventory.parse_inventory(GOOD_INVENTORY)


def seen(section: str, *lines: str) -> dict[str, list[str]]:
    """Return a good inventory with these further lines of a section."""
    return {**GOOD, section: [*GOOD[section], *lines]}


def instead(section: str, *lines: str) -> dict[str, list[str]]:
    """Return a good inventory with these lines of a section."""
    return {**GOOD, section: list(lines)}


def differences(found: dict[str, list[str]], planned: Planned = PLANNED) -> list[str]:
    return [
        *inventory.further_devices(found),
        *inventory.further_ways(found, planned),
        *inventory.further_listeners(found, planned),
        *inventory.further_accounts(found, planned),
        *inventory.open_logins(found, planned),
        *inventory.neighbour_logins(found, planned),
        *inventory.breaks_at_next_boot(found, planned, SYSCTL, MODULES),
        *inventory.shadowing_programs(found, ["aa"]),
    ]


def test_a_good_guest_has_no_difference() -> None:
    assert differences(GOOD) == []


def test_an_inventory_without_its_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="no whole inventory"):
        inventory.parse_inventory("== block\nsda 100\n")


@pytest.mark.parametrize(
    ("section", "line", "text"),
    [
        ("block", "sdb 2048", "2 disks, not 1: sda, sdb"),
        ("block", "nvme0n1 2048", "2 disks, not 1"),
        ("block", "fd0 8", "2 disks, not 1"),
        ("block", "sr1 2097151", "2 CD drives, not 1: sr0, sr1"),
        ("cards", "enp2s2", "2 network cards: ens32, enp2s2"),
        (
            "addresses",
            "2: ens32    inet 192.168.6.99/24 scope global secondary ens32",
            "address 192.168.6.99/24 on ens32",
        ),
        ("addresses", "3: ens33    inet 10.0.2.15/24 scope global ens33", "address 10.0.2.15/24 on ens33"),
        ("addresses", "2: ens32    inet6 fd00::1/64 scope global", "address fd00::1/64 on ens32"),
        ("routes", "default via 192.168.6.77 dev ens32 metric 20", "route default via 192.168.6.77"),
        ("routes", "default via 192.168.6.1 dev ens32 metric 20", "2 default routes to 192.168.6.1, not 1"),
        ("routes", "10.0.0.0/8 via 192.168.6.11 dev ens32 table 7", "route 10.0.0.0/8 via"),
        ("routes", "default via fe80::1 dev ens32", "route default via fe80::1"),
        ("routes", "default via 192.168.6.1 dev ens32 table 7", "route default via 192.168.6.1 dev ens32 table 7"),
        ("routes", "192.168.6.0/24 via 192.168.6.77 dev ens32", "route 192.168.6.0/24 via 192.168.6.77"),
        ("routes", "192.168.6.0/24 dev ens32 table 7", "route 192.168.6.0/24 dev ens32 table 7"),
        ("rules", "100:	from all lookup 7", "rule 100:	from all lookup 7"),
        ("rules", "32766:	from 192.168.6.10 lookup main", "rule 32766:	from 192.168.6.10"),
        ("listeners", 'tcp LISTEN 0 5 0.0.0.0:8080 0.0.0.0:* users:(("python3",pid=7,fd=3))', "tcp 0.0.0.0:8080 users"),
        ("listeners", "udp UNCONN 0 0 *:22 *:*", "udp *:22"),
        ("listeners", "tcp LISTEN 0 5 [::]:2222 [::]:*", "tcp [::]:2222"),
        ("accounts", "evil /home/evil locked", "account evil"),
        ("accounts", "toor /root locked", "account toor"),
        ("accounts", "root /root password", "root has a password"),
        ("accounts", "ubuntu /home/ubuntu empty", "ubuntu has an empty password"),
        ("keys", "ubuntu ssh-ed25519 AAAAOTHER stranger", "ubuntu lets in ssh-ed25519 AAAAOTHER"),
        ("keys", f"root {KEY} lab", "root lets in ssh-ed25519 AAAAKEY"),
        ("matches", "Match Address 192.168.6.0/24;", "conditional settings: Match Address"),
        ("sshd", "root passwordauthentication yes", "passwordauthentication is yes for root"),
        ("sshd", "ubuntu permitrootlogin prohibit-password", "permitrootlogin is prohibit-password for ubuntu"),
        ("sshd", "root authorizedkeyscommand /usr/bin/curl", "authorizedkeyscommand is /usr/bin/curl"),
        ("sshd", "root authorizedkeysfile /etc/keys", "authorizedkeysfile is /etc/keys"),
        (
            "tries",
            "root root@192.168.6.10: Permission denied (publickey,password).",
            "sshd offers password to root",
        ),
        ("tries", "ubuntu ", "a login of ubuntu without a key was not refused: it succeeded"),
        ("tries", "root ssh: connect to host 192.168.6.10 port 22: refused", "was not refused: ssh: connect"),
        ("neighbour", "ubuntu ", "a login of ubuntu without a key was not refused: it succeeded"),
        (
            "neighbour",
            "root root@192.168.6.11: Permission denied (publickey,password).",
            "sshd offers password to root",
        ),
        ("shadows", "bb  /usr/local/bin/ss", "/usr/local/bin/ss"),
    ],
)
def test_what_is_there_beside_the_plan_is_named(section: str, line: str, text: str) -> None:
    found = differences(seen(section, line))
    assert any(text in one for one in found), found


@pytest.mark.parametrize(
    ("section", "lines", "text"),
    [
        ("block", [], "0 disks, not 1"),
        ("cards", ["*"], "1 network cards: *"),
        ("addresses", [], "address 192.168.6.10/24 is missing"),
        ("routes", [], "0 default routes"),
        ("keys", [], "ubuntu has not the lab's key"),
        ("tries", [], "no login was tried"),
        ("sshd-age", ["1000 1500"], "sshd's files were changed 500 s after its start"),
        ("enabled", ["ssh disabled", "net enabled"], "no unit of sshd is enabled"),
        ("enabled", ["ssh enabled", "net masked"], "no unit of the network is enabled"),
        ("sysctl", ["net.ipv4.ip_forward = 0"], "no file sets net.ipv4.ip_forward = 1"),
        ("modules", ["# overlay"], "no file loads overlay"),
        ("network", [], "no file of the network has 192.168.6.10/24"),
    ],
)
def test_what_is_missing_is_named(section: str, lines: list[str], text: str) -> None:
    found = differences(instead(section, *lines))
    assert any(text in one for one in found), found


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("block", "loop0 4096"),
        ("block", "sdb 0"),
        ("addresses", "4: cni0    inet 10.42.0.1/24 scope global cni0"),
        ("routes", "10.42.0.0/24 dev cni0 proto kernel scope link src 10.42.0.1"),
        ("routes", "fe80::/64 dev ens32 proto kernel metric 256"),
        ("listeners", "udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*"),
        ("listeners", 'tcp LISTEN 0 4096 *:6443 *:* users:(("k3s-server",pid=9,fd=3))'),
        ("rules", "32765:	from all lookup kube-router"),
        ("keys", f'root no-pty,command="echo Please login as the user ubuntu" {KEY} lab'),
        ("shadows", "aa  /usr/local/sbin/netplan"),
    ],
)
def test_what_belongs_to_a_guest_is_no_difference(section: str, line: str) -> None:
    assert differences(seen(section, line)) == []


def test_a_lab_that_allows_a_login_is_not_blamed_for_it() -> None:
    planned = Planned(PLANNED.address, PLANNED.gateway, 22, "ubuntu", KEY, True, True)
    offered = "Permission denied (publickey,password)."
    found = {
        **GOOD,
        "sshd": [
            "root passwordauthentication yes",
            "root permitrootlogin prohibit-password",
            "ubuntu passwordauthentication yes",
        ],
        "tries": [f"root root@m: {offered}", f"ubuntu ubuntu@m: {offered}"],
        "keys": [f"ubuntu {KEY} lab", f"root {KEY} lab"],
        "accounts": ["root /root locked", "ubuntu /home/ubuntu password"],
    }
    assert differences(found, planned) == []


@pytest.mark.parametrize(
    ("answer", "silent"),
    [
        ("ssh: connect to host 192.168.6.11 port 22: No route to host", True),
        ("root@192.168.6.11: Permission denied (publickey).", False),
        ("", False),
    ],
)
def test_a_neighbour_that_does_not_answer_proves_nothing(answer: str, silent: bool) -> None:
    assert inventory.neighbour_is_silent(instead("neighbour", f"root {answer}", f"ubuntu {answer}")) is silent
    assert not inventory.neighbour_is_silent(instead("neighbour")), "nothing was tried"


def test_the_command_names_every_section_that_is_judged() -> None:
    command = inventory.inventory_command(PLANNED)
    assert command.splitlines()[1] == "set -- 192.168.6.10 22 ubuntu 192.168.6.1 -"
    beside = inventory.inventory_command(replace(PLANNED, neighbour=IPv4Address("192.168.6.11")))
    assert beside.splitlines()[1] == "set -- 192.168.6.10 22 ubuntu 192.168.6.1 192.168.6.11"
    assert set(re.findall(r"^s ([\w-]+)", command, re.MULTILINE)) == set(GOOD)


def test_a_password_of_ubuntus_installer_is_no_difference_while_no_login_takes_it() -> None:
    found = instead("accounts", "root /root locked", "ubuntu /home/ubuntu password")
    theirs = replace(PLANNED, installer_password=True)
    assert differences(found, theirs) == []
    assert differences(found) == ["ubuntu has a password"]
    for wrong in ("root /root password", "ubuntu /home/ubuntu empty"):
        assert differences(instead("accounts", wrong), theirs) != []


def test_settings_of_sshd_that_are_not_known_are_a_difference() -> None:
    found = instead("sshd", *[line for line in GOOD["sshd"] if not line.startswith("ubuntu passwordauth")])
    assert differences(found) == ["sshd -T does not say whether ubuntu may log in with a password"]


def test_a_second_cd_drive_where_the_plan_has_two() -> None:
    seen = {"block": ["sda 83886080", "sr0 2097151", "sr1 2097151"], "cards": ["ens33"]}
    assert inventory.further_devices(seen, 2) == []
    assert inventory.further_devices(seen) == ["2 CD drives, not 1: sr0, sr1"]
    assert inventory.further_devices({**seen, "block": [*seen["block"], "sr2 0"]}, 2)
