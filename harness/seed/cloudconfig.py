"""The NoCloud data of a guest, as text: user-data, meta-data, network-config."""

from __future__ import annotations

from typing import Any

import yaml

from harness.seed.model import CLOUD_INIT_MARKER, SeedSpec

_SSHD = """\
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
HostKey /etc/ssh/ssh_host_ed25519_key
UseDNS no
"""


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as a literal block: a PEM in any other style is easily broken by hand."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def _yaml(document: dict[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=4096, line_break="\n")


def unix_text(text: str) -> str:
    """Return text with `\\n` line ends and one at its end, whatever editor wrote it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"


def _hosts(spec: SeedSpec) -> str:
    lines = ["127.0.0.1 localhost", f"127.0.1.1 {spec.machine}"]
    lines += [f"{address} {name}" for name, address in spec.peers if name != spec.machine]
    return "\n".join(lines) + "\n"


def registries(spec: SeedSpec) -> str:
    """Return k3s's registries.yaml: the lab's registry as mirror of everything, trusted by the lab's CA."""
    return _yaml(
        {
            "mirrors": {"*": {"endpoint": [f"https://{spec.registry}"]}},
            "configs": {spec.registry: {"tls": {"ca_file": "/usr/local/seed/ca.crt"}}},
        }
    )


def _files(spec: SeedSpec) -> list[dict[str, str]]:
    texts = {
        "/etc/hosts": _hosts(spec),
        "/etc/modules-load.d/k8s.conf": "".join(f"{name}\n" for name in spec.kernel_modules),
        "/etc/resolv.conf": "".join(f"nameserver {address}\n" for address in spec.dns),
        "/etc/ssh/sshd_config.d/10-lab.conf": _SSHD,
        "/etc/sysctl.d/90-k8s.conf": "".join(f"{key} = {value}\n" for key, value in spec.sysctl),
    }
    return [{"path": path, "permissions": "0644", "content": text} for path, text in texts.items()]


def user_data(spec: SeedSpec) -> str:
    """Return the cloud-config of a guest: `\\n` line ends only, every PEM as a literal block."""
    document = {
        "hostname": spec.machine,
        "timezone": spec.timezone,
        "users": [
            {
                "name": spec.user,
                "shell": "/bin/bash",
                "lock_passwd": True,
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "ssh_authorized_keys": [spec.ssh_public_key.strip()],
            }
        ],
        "disable_root": True,
        "ssh_pwauth": False,
        "ssh_deletekeys": False,
        "ssh_keys": {
            "ed25519_private": unix_text(spec.host_key.private.reveal()),
            "ed25519_public": spec.host_key.public,
        },
        "ca_certs": {"trusted": [unix_text(spec.ca_certificate)]},
        "write_files": _files(spec),
        "runcmd": [
            ["modprobe", "-a", *spec.kernel_modules],
            ["/lib/systemd/systemd-sysctl", "/etc/sysctl.d/90-k8s.conf"],
            ["swapoff", "-a"],
            ["sh", "-c", f"date -u +%Y-%m-%dT%H:%M:%SZ > {CLOUD_INIT_MARKER}"],
        ],
    }
    return "#cloud-config\n" + _yaml(document)


def meta_data(spec: SeedSpec, input_hash: str) -> str:
    """Return the instance identity: another seed of the machine is another instance."""
    return _yaml({"instance-id": f"{spec.machine}-{input_hash[:12]}", "local-hostname": spec.machine})


def network_config(spec: SeedSpec) -> str:
    """Return netplan's version 2 of a static address, for whatever name the first network card gets."""
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
    return _yaml({"version": 2, "ethernets": {"lab": card}})
