"""Text of `ssh_config` and `known_hosts`, for `ssh -F <file> <machine>` by hand.

Pure.

Formats: ssh_config(5), and "SSH_KNOWN_HOSTS FILE FORMAT" in sshd(8).
"""

from __future__ import annotations

import re
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
    blocks = []
    for host in hosts:
        settings = {
            "HostName": host.host,
            "Port": host.port,
            "User": host.user,
            "IdentityFile": quoted(host.key_path),
            **host_key_options(host, known_hosts),
        }
        blocks.append("\n".join([f"Host {host.name}", *(f"    {key} {value}" for key, value in settings.items())]))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def host_key_options(host: SshHost, known_hosts: PurePath) -> dict[str, str]:
    """Return the settings for the lab's key and pinned host keys."""
    return {
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "PreferredAuthentications": "publickey",
        "HostKeyAlias": host.name,
        "UserKnownHostsFile": quoted(known_hosts),
        "GlobalKnownHostsFile": "none",
        "StrictHostKeyChecking": "yes",
        "UpdateHostKeys": "no",
    }


def known_hosts_text(hosts: Iterable[SshHost]) -> str:
    """Return the `known_hosts` text: each key by machine name and address."""
    lines = [f"{host.name},{_address(host)} {' '.join(host.host_key.split()[:2])}\n" for host in hosts if host.host_key]
    return "".join(lines)


def read_ssh_config(text: str) -> tuple[SshHost, ...]:
    """Return the machines of a text that `ssh_config` wrote, without their host keys.

    Raises:
        ValueError: A machine lacks a setting, or has one of another form.
    """
    found = []
    for block in re.split(r"^Host ", text, flags=re.MULTILINE)[1:]:
        name, *lines = block.splitlines()
        settings = dict(line.split(maxsplit=1) for line in lines if line.strip())
        try:
            key = PurePath(settings["IdentityFile"].strip('"').replace("%%", "%"))
            found.append(SshHost(name, settings["HostName"], int(settings["Port"]), settings["User"], key, None))
        except KeyError as error:
            raise ValueError(f"{name} has no {error}") from error
    return tuple(found)


def _address(host: SshHost) -> str:
    return host.host if host.port == 22 else f"[{host.host}]:{host.port}"


def quoted(path: PurePath) -> str:
    """Quote a path as one argument.

    `/` on Windows, and `%` doubled (ssh expands tokens).
    """
    return '"' + path.as_posix().replace("%", "%%") + '"'
