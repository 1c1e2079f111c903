"""The text of an `ssh_config` and of its `known_hosts`, so that `ssh -F <file> <machine>` works by hand. Pure.

Formats: ssh_config(5), and "SSH_KNOWN_HOSTS FILE FORMAT" in sshd(8).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True)
class SshHost:
    """One machine as `ssh` needs it. `host_key` is `ssh-ed25519 AAAA…`, or None where it was never seen."""

    name: str
    host: str
    port: int
    user: str
    key_path: PurePath
    host_key: str | None


def ssh_config(hosts: Iterable[SshHost], known_hosts: PurePath) -> str:
    """Return an `ssh_config`: one block per machine, the lab's key alone, host keys checked.

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
    """Return `known_hosts`: each key under the machine's name and under the address it is reached at."""
    lines = [f"{host.name},{_address(host)} {' '.join(host.host_key.split()[:2])}\n" for host in hosts if host.host_key]
    return "".join(lines)


def _address(host: SshHost) -> str:
    return host.host if host.port == 22 else f"[{host.host}]:{host.port}"


def _quoted(path: PurePath) -> str:
    """Return a path as one argument: in double quotes, with `/` on Windows, and `%` doubled (ssh expands tokens)."""
    return '"' + path.as_posix().replace("%", "%%") + '"'
