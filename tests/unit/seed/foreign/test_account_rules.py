"""Name, account and the way in by SSH."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from seed.foreign.ubuntu_iso import DATA, EXPECTED, KEY, edited, of_data, only

NO_KEYS = edited(("    authorized-keys:\n", ""), (f"      - {KEY} lab\n", ""))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (edited(('"$6$salt$hash"', "secret")), ":7: the password is no hash"),
        (edited(("username: ops", "username: op")), ":6: it makes the account op, and the lab logs in as ops"),
        (edited(("hostname: node-a", "hostname: node-b")), ":5: it installs node-b, not node-a"),
        (edited(("install-server: true", "install-server: off")), ":9: `ssh.install-server` is not true"),
        (edited(("    install-server: true\n", "")), "`ssh.install-server` is missing"),
        (edited(("allow-pw: false", "allow-pw: true")), ":10: `ssh.allow-pw` allows the password login"),
        (NO_KEYS, "it brings no SSH key"),
        (edited((KEY, "ssh-rsa AAAAB3other")), ":11: none of its SSH keys is the lab's"),
        (DATA + "  interactive-sections: [network]\n", "asks a person about network"),
        (DATA + "  shutdown: poweroff\n", "switches the machine off"),
        (edited(("fallback: offline-install", "fallback: abort")), "the installer gives up"),
    ],
)
def test_what_keeps_the_lab_out_is_named_with_its_line(tmp_path: Path, data: str, words: str) -> None:
    assert only(of_data(tmp_path, data), words)


def test_a_key_that_is_none(tmp_path: Path) -> None:
    assert any("is no SSH public key" in text for text in of_data(tmp_path, edited((f"{KEY} lab", "SHA256:abc"))))


@pytest.mark.parametrize(
    "further",
    [
        f"  user-data:\n    ssh_authorized_keys: [{KEY}]\n",
        f"  user-data:\n    users: [{{name: ops, ssh_authorized_keys: [{KEY}]}}]\n",
    ],
)
def test_the_key_may_come_by_cloud_init(tmp_path: Path, further: str) -> None:
    assert of_data(tmp_path, NO_KEYS + further) == []


def test_a_key_may_be_written_by_a_command(tmp_path: Path) -> None:
    command = "    - install -D /cdrom/files/k3s /target/home/ops/.ssh/authorized_keys\n"
    assert of_data(tmp_path, NO_KEYS + command) == []


@pytest.mark.parametrize("password", ['"$y$j9T$a$b"', '"!"', '"*"', '"$5$rounds=9$a$b"'])
def test_hashes_and_locked_accounts_are_right(tmp_path: Path, password: str) -> None:
    assert of_data(tmp_path, edited(('"$6$salt$hash"', password))) == []


def test_sshd_may_come_as_a_package(tmp_path: Path) -> None:
    data = edited(("    install-server: true\n", "")) + "  packages: [openssh-server]\n"
    assert of_data(tmp_path, data) == []


def test_a_lab_with_password_logins_wants_them(tmp_path: Path) -> None:
    assert only(of_data(tmp_path, DATA, replace(EXPECTED, password_ssh=True)), "refuses the password login")


def test_a_key_of_the_lab_that_cannot_be_read_is_not_compared(tmp_path: Path) -> None:
    assert of_data(tmp_path, edited((KEY, "ssh-rsa AAAAB3other")), replace(EXPECTED, key="")) == []


def test_neither_account_nor_user_data(tmp_path: Path) -> None:
    start, _, rest = DATA.partition("  identity:\n")
    data = start + "  ssh:" + rest.partition("  ssh:")[2]
    assert any("neither `identity` nor `user-data`" in text for text in of_data(tmp_path, data))
