"""What the lab expects of the seed of one machine."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from harness.config.plan import LabPlan


@dataclass(frozen=True)
class Expected:
    """What the lab file says of one machine.

    Attributes:
        key: The lab's public key, as `type blob`; empty where it cannot be read.
        mac: The address of its card; empty where the hypervisor gives one.
        iso_copy: The marker that the installation leaves.
    """

    machine: str
    address: IPv4Interface
    gateway: IPv4Address
    user: str
    key: str
    mac: str
    password_ssh: bool
    registry: IPv4Address
    iso_copy: str


def expected_of(plan: LabPlan, name: str) -> Expected:
    """Return what the plan expects of the seed of that machine."""
    spec = plan.spec
    machine = spec.machines[name]
    return Expected(
        machine=name,
        address=IPv4Interface(f"{machine.address}/{spec.network.subnet.prefixlen}"),
        gateway=spec.network.gateway,
        user=spec.ssh.user,
        key=public_key(plan.ssh_key),
        mac=(machine.mac or "").lower(),
        password_ssh=spec.guest.password_ssh,
        registry=spec.registry.address,
        iso_copy=spec.markers.iso_copy,
    )


def public_key(private: Path) -> str:
    """Return the public key of a private one, as `type blob`.

    Empty where it cannot be read; a check of the host says so.
    """
    try:
        data = private.read_bytes()
        load = serialization.load_ssh_private_key if b"OPENSSH" in data else serialization.load_pem_private_key
        key = load(data, password=None).public_key()
        text = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        return ""
    return text.decode("ascii")
