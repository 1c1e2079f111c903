"""Text of `ssh_config` and `known_hosts`, for `ssh -F <file> <machine>` by hand.

Pure.

Formats: ssh_config(5), and "SSH_KNOWN_HOSTS FILE FORMAT" in sshd(8).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True)
class SshHost:
    """SSH settings of one machine.

    `host_key` is `ssh-ed25519 AAAA…`, or None if unknown.
    """

    name: str
    host: str
    port: int
    user: str
    key_path: PurePath
    host_key: str | None


def ssh_config(hosts: Iterable[SshHost], known_hosts: PurePath) -> str:
    """Return the `ssh_config` text: only the lab's key, checked host keys.

    Args:
        hosts: The machines; a name is also its `HostKeyAlias`.
        known_hosts: Where the text of `known_hosts_text` is written.
    """
    blocks = [
        "\n".join(
            [
                f"Host {host.name}",
                f"    HostName {host.host}",
                f"    Port {host.port}",
                f"    User {host.user}",
                f"    IdentityFile {_quoted(host.key_path)}",
                "    IdentitiesOnly yes",
                "    IdentityAgent none",
                "    PreferredAuthentications publickey",
                f"    HostKeyAlias {host.name}",
                f"    UserKnownHostsFile {_quoted(known_hosts)}",
                "    GlobalKnownHostsFile none",
                "    StrictHostKeyChecking yes",
                "    UpdateHostKeys no",
            ]
        )
        for host in hosts
    ]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def known_hosts_text(hosts: Iterable[SshHost]) -> str:
    """Return the `known_hosts` text: each key by machine name and address."""
    lines = [f"{host.name},{_address(host)} {' '.join(host.host_key.split()[:2])}\n" for host in hosts if host.host_key]
    return "".join(lines)


def _address(host: SshHost) -> str:
    return host.host if host.port == 22 else f"[{host.host}]:{host.port}"


def _quoted(path: PurePath) -> str:
    """Quote a path as one argument.

    `/` on Windows, and `%` doubled (ssh expands tokens).
    """
    return '"' + path.as_posix().replace("%", "%%") + '"'
