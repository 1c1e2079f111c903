"""The machines of a lab as an Ansible inventory. Pure.

Format: Ansible's inventory plugin `yaml`. Ansible's own `ssh` options are those of the run's `ssh_config`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from harness.guest.ssh_config import SshHost, host_key_options, quoted

# The role of a machine -> the name of its group.
GROUPS = {"master": "master", "worker": "workers"}


def inventory(hosts: Iterable[SshHost], roles: Mapping[str, str], known_hosts: PurePath) -> dict[str, Any]:
    """Return the inventory: a group for each role, and how SSH reaches each machine.

    Args:
        hosts: The machines.
        roles: The role of each machine, by its name.
        known_hosts: The pinned host keys.
    """
    groups: dict[str, Any] = {group: {"hosts": {}} for group in GROUPS.values()}
    for host in hosts:
        groups[GROUPS[roles[host.name]]]["hosts"][host.name] = {
            "ansible_host": host.host,
            "ansible_port": host.port,
            "ansible_user": host.user,
            # Ansible puts the path into a setting of ssh, which expands `%`.
            "ansible_ssh_private_key_file": quoted(host.key_path)[1:-1],
            "ansible_ssh_common_args": _arguments(host, known_hosts),
        }
    return {"all": {"children": groups}}


def _arguments(host: SshHost, known_hosts: PurePath) -> str:
    """Return the arguments of ssh, quoted as Ansible splits them."""
    return shlex.join(f"-o{key}={value}" for key, value in host_key_options(host, known_hosts).items())
