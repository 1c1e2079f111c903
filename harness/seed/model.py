"""The inputs of a seed, and what is known of a seed ISO."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.config.model import MarkersSpec, Role
from harness.guest.lab_keys import HostKey


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
        iso_name: File name of the ISO.
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
    dns: tuple[str, ...]
    user: str
    timezone: str
    peers: tuple[tuple[str, str], ...]
    kernel_modules: tuple[str, ...]
    sysctl: tuple[tuple[str, str], ...]
    paths: MarkersSpec
    ssh_port: int
    password_ssh: bool
    root_ssh: bool
    swap: bool
    lab_ca: bool
    iso_name: str

    def input_hash(self, image_digest: str) -> str:
        """Return 32 hex digits that change with any input but the build timestamp."""
        plain = {**asdict(self), "paths": self.paths.model_dump(), "image": image_digest}
        plain["host_key"] = [hashlib.sha256(self.host_key.private.reveal().encode()).hexdigest(), self.host_key.public]
        del plain["build_timestamp"], plain["iso_name"]
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:32]


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
