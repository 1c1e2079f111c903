"""The inventory as a value; `tests/unit/cli/test_inventory.py` reads the file with a YAML parser and OpenSSH."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath, PureWindowsPath

from harness.guest.ansible_inventory import inventory
from harness.guest.ssh_config import SshHost


def test_host_keys_are_checked_by_the_pinned_ones() -> None:
    host = SshHost("k3s-worker1", "192.168.6.11", 22, "ubuntu", PureWindowsPath(r"F:\my lab\100%\id"), None)
    groups = inventory([host], {"k3s-worker1": "worker"}, PurePosixPath("/a b/known_hosts"))["all"]["children"]
    assert groups["master"] == {"hosts": {}}
    values = groups["workers"]["hosts"]["k3s-worker1"]
    assert values["ansible_ssh_private_key_file"] == "F:/my lab/100%%/id"
    words = shlex.split(values["ansible_ssh_common_args"])
    assert '-oUserKnownHostsFile="/a b/known_hosts"' in words
    assert {"-oStrictHostKeyChecking=yes", "-oHostKeyAlias=k3s-worker1", "-oIdentitiesOnly=yes"} <= set(words)
