"""The inputs of a seed, and what is known of a seed ISO."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path

from harness.secret import Secret

# On the installed disk: how often an installer met it, refused runs included.
INSTALLER_RUNS = "/var/lib/lab-installer-runs"


class Role(Enum):
    """What a machine is in the cluster."""

    MASTER = "master"
    WORKER = "worker"


@dataclass(frozen=True)
class HostKey:
    """An SSH host key of type ed25519: OpenSSH private key text, and `ssh-ed25519 AAAA…` without a comment."""

    private: Secret
    public: str


@dataclass(frozen=True)
class ExtraFile:
    """One more file of the payload; `path` is relative to /files/."""

    path: str
    data: bytes


@dataclass(frozen=True)
class GuestPaths:
    """Where the guest has its payload, and the markers that tell how far it got."""

    payload: str = "/usr/local/seed"
    iso_copy: str = "/var/lib/iso-copy-complete"
    cloud_init: str = "/var/lib/cloud-init-complete"
    packages: str = "/var/lib/k8s-ops-packages-installed"


@dataclass(frozen=True)
class SeedSpec:
    """Everything that shapes the seed of one machine.

    Args:
        address: With its prefix length: `192.168.6.10/24`.
        registry: `address:port`.
        ca_certificate: PEM text of the lab's certificate authority.
        peers: Name and address (without prefix) of every machine of the lab, for /etc/hosts.
        build_timestamp: RFC 3339 in UTC; goes into the payload, not into the input hash.
        kernel_modules: Loaded now and at every boot, before `sysctl` is set.
        root_ssh: Whether root may log in with the lab's key.
        lab_ca: Whether the lab's certificate authority is trusted by the whole system.
        iso_name: File name of the ISO; empty means `seed-<last part of the machine's name>.iso`.
    """

    machine: str
    role: Role
    address: str
    gateway: str
    ssh_public_key: str
    host_key: HostKey
    ca_certificate: str
    registry: str
    build_timestamp: str
    dns: tuple[str, ...] = ()
    user: str = "ubuntu"
    timezone: str = "Asia/Seoul"
    peers: tuple[tuple[str, str], ...] = ()
    extra_files: tuple[ExtraFile, ...] = field(default=())
    kernel_modules: tuple[str, ...] = ("overlay", "br_netfilter")
    sysctl: tuple[tuple[str, str], ...] = (("net.bridge.bridge-nf-call-iptables", "1"), ("net.ipv4.ip_forward", "1"))
    paths: GuestPaths = GuestPaths()
    ssh_port: int = 22
    password_ssh: bool = False
    root_ssh: bool = False
    swap: bool = False
    lab_ca: bool = True
    iso_name: str = ""

    def input_hash(self, image_digest: str) -> str:
        """Return 32 hex digits that change with any input but the build timestamp."""
        plain = {**asdict(self), "role": self.role.value, "image": image_digest}
        plain["host_key"] = [hashlib.sha256(self.host_key.private.reveal().encode()).hexdigest(), self.host_key.public]
        plain["extra_files"] = [[item.path, hashlib.sha256(item.data).hexdigest()] for item in self.extra_files]
        del plain["build_timestamp"], plain["iso_name"]
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:32]


def seed_name(machine: str) -> str:
    """Return the file name of a machine's seed ISO: the last part of its name after `seed-`."""
    return f"seed-{machine.rpartition('-')[2]}.iso"


@dataclass(frozen=True)
class PayloadFile:
    """A file below /files/ of a seed ISO; `sha256` is None where the ISO's manifest does not tell."""

    path: str
    size: int
    sha256: str | None


@dataclass(frozen=True)
class IsoInfo:
    """What a seed ISO says about itself.

    `events` tells whether its installer and its guest report on the serial port. `host_key` is the public SSH host
    key that the guest will have. A seed that somebody else built has no manifest: machine and address are then what
    its autoinstall data says, or None.
    """

    path: Path
    volume_id: str
    bios_bootable: bool
    machine: str | None
    role: str | None
    address: str | None
    events: bool
    input_hash: str | None
    host_key: str | None
    payload: tuple[PayloadFile, ...]

    @property
    def has_k3s(self) -> bool:
        """Whether its payload brings k3s."""
        return any(file.path.split("/")[-1] == "k3s" for file in self.payload)
