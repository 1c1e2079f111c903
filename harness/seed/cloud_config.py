"""NoCloud data of a guest as text: user-data, meta-data, network-config."""

from __future__ import annotations

import shlex
from typing import Any

from harness.seed import k3s_node
from harness.seed.model import SeedSpec
from harness.seed.yaml_text import yaml_text

_SWAP_FILE = "/swapfile"
_SWAP_SIZE = "256M"


def unix_text(text: str) -> str:
    """Return the text with `\\n` line ends, one at the end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"


def _hosts(spec: SeedSpec) -> str:
    lines = ["127.0.0.1 localhost", f"127.0.1.1 {spec.machine}"]
    lines += [f"{address} {name}" for name, address in spec.peers if name != spec.machine]
    return "\n".join(lines) + "\n"


def _sshd(spec: SeedSpec) -> str:
    """Return sshd's settings.

    Keyboard-interactive login is off, because it would ask for the password as well.
    """
    password = "yes" if spec.password_ssh else "no"
    root = "prohibit-password" if spec.root_ssh else "no"
    return f"""\
Port {spec.ssh_port}
PasswordAuthentication {password}
KbdInteractiveAuthentication no
PermitRootLogin {root}
HostKey /etc/ssh/ssh_host_ed25519_key
UseDNS no
"""


def _files(spec: SeedSpec) -> list[dict[str, Any]]:
    texts = {
        "/etc/hosts": _hosts(spec),
        "/etc/modules-load.d/k8s.conf": "".join(f"{name}\n" for name in spec.kernel_modules),
        "/etc/resolv.conf": "".join(f"nameserver {address}\n" for address in spec.dns),
        "/etc/ssh/sshd_config.d/10-lab.conf": _sshd(spec),
        "/etc/sysctl.d/90-k8s.conf": "".join(f"{key} = {value}\n" for key, value in spec.sysctl),
    }
    files: list[dict[str, Any]] = [
        {"path": path, "permissions": "0644", "content": text} for path, text in texts.items()
    ]
    if spec.swap:
        files.append({"path": "/etc/fstab", "append": True, "content": f"{_SWAP_FILE} none swap sw 0 0\n"})
    return files + (k3s_node.node_files(spec, spec.k3s) if spec.k3s else [])


def _users(spec: SeedSpec) -> list[dict[str, Any]]:
    keys = {"lock_passwd": True, "ssh_authorized_keys": [spec.ssh_public_key.strip()]}
    user = {"name": spec.user, "shell": "/bin/bash", "sudo": "ALL=(ALL) NOPASSWD:ALL", **keys}
    return [user, {"name": "root", **keys}] if spec.root_ssh else [user]


def _commands(spec: SeedSpec) -> list[list[str]]:
    """Return the commands at the end of the first boot.

    The marker comes last.
    """
    marker = shlex.quote(spec.paths.cloud_init)
    swap_on = f"fallocate -l {_SWAP_SIZE} {_SWAP_FILE} && chmod 600 {_SWAP_FILE} && mkswap -q {_SWAP_FILE} && swapon -a"
    return [
        *([["modprobe", "-a", *spec.kernel_modules]] if spec.kernel_modules else []),
        ["/lib/systemd/systemd-sysctl", "/etc/sysctl.d/90-k8s.conf"],
        ["sh", "-c", swap_on] if spec.swap else ["swapoff", "-a"],
        *(k3s_node.node_commands(spec.role) if spec.k3s else []),
        ["sh", "-c", f"mkdir -p $(dirname {marker}) && date -u +%Y-%m-%dT%H:%M:%SZ > {marker}"],
    ]


def user_data(spec: SeedSpec) -> str:
    """Return the cloud-config of a guest, with `\\n` line ends only."""
    return "#cloud-config\n" + yaml_text(guest_settings(spec))


def guest_settings(spec: SeedSpec) -> dict[str, Any]:
    """Return what cloud-init makes of the guest at its first boot."""
    document: dict[str, Any] = {
        "hostname": spec.machine,
        "timezone": spec.timezone,
        "users": _users(spec),
        "disable_root": not spec.root_ssh,
        "ssh_pwauth": spec.password_ssh,
        "ssh_deletekeys": False,
        "ssh_keys": {
            "ed25519_private": unix_text(spec.host_key.private.reveal()),
            "ed25519_public": spec.host_key.public,
        },
        "write_files": _files(spec),
        "runcmd": _commands(spec),
    }
    if spec.lab_ca:
        document["ca_certs"] = {"trusted": [unix_text(spec.ca_certificate)]}
    return document


def meta_data(spec: SeedSpec, input_hash: str) -> str:
    """Return the instance-id: another seed of the machine is another instance."""
    return yaml_text({"instance-id": f"{spec.machine}-{input_hash[:12]}", "local-hostname": spec.machine})


def network_config(spec: SeedSpec) -> str:
    """Return the network of a guest as netplan's YAML."""
    return yaml_text(network(spec))


def network(spec: SeedSpec) -> dict[str, Any]:
    """Return netplan's version 2 of a static address; any card name matches."""
    card: dict[str, Any] = {
        "match": {"name": "e*"},
        "dhcp4": False,
        "dhcp6": False,
        "accept-ra": False,
        "link-local": [],
        "addresses": [spec.address],
        "routes": [{"to": "default", "via": spec.gateway}],
    }
    if spec.dns:
        card["nameservers"] = {"addresses": list(spec.dns)}
    return {"version": 2, "ethernets": {"lab": card}}
