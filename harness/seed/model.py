"""Inputs of a seed, and the facts of a seed ISO."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config.model import MarkersSpec, Role
from harness.core.finding import Finding

if TYPE_CHECKING:
    from harness.core.secret import Secret
    from harness.guest.lab_keys import HostKey
    from harness.image.package_repository import DebPackage
    from harness.payload.collect import CollectedFile

# A binary of k3s as people name it: `k3s`, `k3s-amd64`, `k3s-v1.33.4`, `K3S`; no archive, script, unit or setting.
_K3S = re.compile(
    r"k3s([-_.](v?\d+(\.\d+)*([-+](rc|alpha|beta|k3s)\.?\d*)*|linux|bin|amd64|x86[-_]64|arm64|aarch64|armhf|arm|s390x))*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class RegistryLogin:
    """The account that the registry wants."""

    user: str
    password: Secret


@dataclass(frozen=True)
class K3sCluster:
    """What every node of the cluster knows.

    Attributes:
        server: Address of the master.
        disable: What the server leaves out.
    """

    token: Secret
    server: str
    disable: tuple[str, ...]


@dataclass(frozen=True)
class SeedSpec:
    """Inputs of the seed of one machine.

    Args:
        address: With its prefix length: `192.168.6.10/24`.
        registry: `address:port`.
        ca_certificate: PEM text of the lab's certificate authority.
        peers: Name and address (without prefix) of every machine of the lab, for /etc/hosts.
        build_timestamp: RFC 3339 in UTC; part of the payload, not of the input hash.
        kernel_modules: Loaded at the first and every later boot, before `sysctl` is set.
        root_ssh: Whether root may log in with the lab's key.
        lab_ca: Whether the whole system trusts the lab's certificate authority.
        iso_name: File name of the ISO.
        payload: Files that the lab file brings.
        packages: The packages among them, for the index of the offline repository.
        k3s: The cluster that the guest is a node of, or None.
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
    payload: tuple[CollectedFile, ...] = ()
    packages: tuple[DebPackage, ...] = ()
    k3s: K3sCluster | None = None
    registry_login: RegistryLogin | None = None

    def input_hash(self, image_digest: str) -> str:
        """Return 32 hex digits that change with the inputs, except the timestamp."""
        plain = {**asdict(self), "paths": self.paths.model_dump(), "image": image_digest}
        plain["host_key"] = [hashlib.sha256(self.host_key.private.reveal().encode()).hexdigest(), self.host_key.public]
        for name in ("build_timestamp", "iso_name", "payload", "packages", "k3s", "registry_login"):
            del plain[name]
        if self.payload:  # a seed without a payload is the one that it was before there was any
            plain["payload"] = [(file.path, file.sha256) for file in self.payload]
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class PayloadFile:
    """File below /files/ of a seed ISO.

    `sha256` is None without a manifest.
    """

    path: str
    size: int
    sha256: str | None


@dataclass(frozen=True)
class IsoInfo:
    """Facts of a seed ISO.

    `events`: whether its installer and its guest report events on the serial port. `host_key`: the public SSH host key
    of the guest. A foreign seed has no manifest: machine and address then come from its autoinstall data, or are None.
    `damage`: what is not as it was written, where the whole ISO was read. `findings`: what is wrong with a foreign one,
    where it was checked; `elsewhere`: why it holds no autoinstall data, where that may be intended.
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
    damage: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    elsewhere: str = ""

    @property
    def has_k3s(self) -> bool:
        """Whether its payload brings k3s."""
        return any(_K3S.fullmatch(file.path.split("/")[-1]) for file in self.payload)
