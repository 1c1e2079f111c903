"""Types of a lab file: frozen, without unknown keys, units in the names.

Paths stay text here: `C:\\…` in a lab file is a Windows path even when it is read on Linux. `host_path` converts a text
to a path of this host; `load_lab` rejects paths of another system where they are used.
"""

from __future__ import annotations

import contextlib
import re
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from harness.config.frozen_model import Model
from harness.config.payload_spec import PayloadSpec, Sha256
from harness.config.secret_reference import PATTERN, check_reference
from harness.core.claims import Claim

_DEVICES = re.compile(r"con|prn|aux|nul|(com|lpt)\d")


def _refuse_device(name: str) -> str:
    if _DEVICES.fullmatch(name):
        raise ValueError(f"{name!r} is the name of a device on Windows, where no directory can have it")
    return name


# RFC 1123 host label; it is also the directory name of the machine.
HostName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"), AfterValidator(_refuse_device)]
GuestPath = Annotated[str, Field(pattern=r"^/[^\s]*$")]
PackageName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]+$")]  # Debian policy 5.6.1
MacAddress = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Duration = Annotated[str, Field(pattern=r"^[1-9]\d{0,3}[mhd]$")]
SecretReference = Annotated[
    str, BeforeValidator(check_reference), WithJsonSchema({"type": "string", "pattern": PATTERN})
]
Seconds = Annotated[int, Field(ge=1, le=86400)]
# Of seeds that are made of Ubuntu's ISO: the installer of all machines, and the label of the data beside it.
UBUNTU_INSTALLER = "ubuntu-installer.iso"
DATA_LABEL = "CIDATA"


class Role(StrEnum):
    """Role of a machine in the cluster."""

    MASTER = "master"
    WORKER = "worker"


class SeedSource(StrEnum):
    """Where the seed ISOs come from."""

    PROVIDED = "provided"
    BUILT = "built"
    UBUNTU = "ubuntu"


class Reach(StrEnum):
    """How the host reaches SSH on a guest."""

    DIRECT = "direct"
    FORWARDED = "forwarded"


class Keep(StrEnum):
    """Keep policy: whether machines are kept after the run."""

    ALWAYS = "always"
    ON_FAILURE = "on-failure"
    NEVER = "never"


class Recoverable(StrEnum):
    """How recoverable errors of cloud-init (its exit code 2) are judged."""

    FAIL = "fail"
    ACCEPT = "accept"


class NetworkSpec(Model):
    """The host-only network."""

    vmnet: Annotated[str, Field(pattern=r"^VMnet\d{1,2}$", description="VMware's name of the network, e.g. VMnet1")]
    subnet: IPv4Network
    gateway: IPv4Address
    dns: tuple[IPv4Address, ...] = ()


class AccountSpec(Model):
    """A name and the reference to its password."""

    user: Annotated[str, Field(min_length=1)]
    password: SecretReference


class RegistrySpec(Model):
    """The container registry that the guests pull from."""

    address: IPv4Address
    port: Port
    login: Annotated[AccountSpec | None, Field(description="null: it wants no login")] = None


class SeedsSpec(Model):
    """Directory of the seed ISOs, and what `lab seed` makes them of.

    For `built` that is a distribution, for `ubuntu` Ubuntu's own ISO.
    """

    source: SeedSource
    directory: Annotated[str, Field(min_length=1)]
    distribution: Annotated[
        Literal["debian", "ubuntu"] | None, Field(description="null: the host's own, as its os-release says")
    ] = None
    suite: Annotated[str | None, Field(pattern=r"^[a-z]+$", description="e.g. bookworm; null: the host's own")] = None
    iso: Annotated[
        str | None, Field(min_length=1, description="of `ubuntu`: the live-server ISO as Ubuntu publishes it")
    ] = None
    sha256: Annotated[Sha256 | None, Field(description="of `ubuntu`: the ISO's digest in Ubuntu's SHA256SUMS")] = None


class SshSpec(Model):
    """SSH login of the harness; only this key is offered."""

    user: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]*$")]
    key: Annotated[str, Field(min_length=1)]
    port: Port = 22
    reach: Reach = Reach.DIRECT
    forward_base_port: Annotated[
        Port | None,
        Field(description="first loopback port of the machines; null: the system picks free ones"),
    ] = None


class ToolsSpec(AccountSpec):
    """A guest account for guest operations through VMware Tools; SSH does not need it."""


class HypervisorSpec(Model):
    """The `vmrun` program and its options."""

    vmrun: Annotated[str | None, Field(description="a path, `embedded`, or null to search")] = None
    type: Literal["ws", "player", "fusion"] = "ws"
    display: Literal["gui", "nogui"] = "nogui"


class HardwareSpec(Model):
    """Virtual hardware. VMware requires memory in multiples of 4 MB."""

    memory_mib: Annotated[int, Field(ge=512, multiple_of=4)]
    cpus: Annotated[int, Field(ge=1, le=64)]
    disk_gib: Annotated[int, Field(ge=4, le=8192)]
    disk_type: Literal[0, 1] = 1
    firmware: Literal["bios"] = "bios"
    guest_os: Annotated[str, Field(pattern=r"^[a-z0-9-]+-64$")]
    hardware_version: Annotated[int, Field(ge=10, le=30)] = 19
    network_card: Literal["e1000", "e1000e", "vmxnet3"] = "e1000"
    boot_order: tuple[Literal["disk", "hdd", "cdrom"], ...]


class MachineSpec(Model):
    """One machine; its name is its key under `machines`."""

    role: Role
    address: IPv4Address
    seed: Annotated[str, Field(min_length=1, description="file name of its seed ISO in the seed directory")]
    mac: Annotated[MacAddress | None, Field(description="null: generated by the hypervisor")] = None
    memory_mib: Annotated[int | None, Field(ge=512, multiple_of=4)] = None
    cpus: Annotated[int | None, Field(ge=1, le=64)] = None


class GuestSpec(Model):
    """Settings of every finished guest."""

    timezone: Annotated[str, Field(pattern=r"^[A-Za-z_+-]+(/[A-Za-z0-9_+-]+)*$")]
    swap: bool
    password_ssh: bool
    root_ssh: bool
    lab_ca: bool
    max_clock_skew_s: Annotated[int, Field(ge=1, le=3600)]
    kernel_modules: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")], ...]
    sysctl: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_./*-]+$")], str]
    packages: tuple[PackageName, ...]


class MarkersSpec(Model):
    """Paths in the guest."""

    payload: GuestPath
    iso_copy: GuestPath
    cloud_init: GuestPath
    packages: GuestPath


class CloudInitSpec(Model):
    """The policy for cloud-init's result."""

    recoverable_errors: Recoverable = Recoverable.FAIL


class ClaimsSpec(Model):
    """What a run has to prove to be green."""

    required: Annotated[
        Annotated[tuple[Claim, ...], Field(min_length=1)] | None,
        Field(description="null: every claim that can be proven with this hypervisor and this payload"),
    ] = None


class ClusterSpec(Model):
    """The k3s cluster; checked only if the payload contains k3s."""

    kubesphere_port: Annotated[
        Port | None, Field(description="port of KubeSphere's console on the master, e.g. 30880; null: no KubeSphere")
    ] = None
    recovery: Annotated[bool, Field(description="cut a worker's power, then restart the master")] = False


class DeadlinesSpec(Model):
    """Deadlines per machine and phase in seconds."""

    power: Seconds
    boot: Seconds
    iso_copy: Seconds
    cloud_init: Seconds
    packages: Seconds
    restart: Seconds
    cluster: Annotated[Seconds, Field(description="of the whole lab: until k3s is healthy on all machines")] = 900
    recovery: Annotated[Seconds, Field(description="until a restarted machine is back in the cluster")] = 900
    guest_command: Seconds


class LabSpec(Model):
    """The whole lab."""

    name: HostName
    vm_directory: Annotated[str, Field(min_length=1)]
    network: NetworkSpec
    registry: RegistrySpec
    seeds: SeedsSpec
    ssh: SshSpec
    hypervisor: HypervisorSpec
    tools: Annotated[
        ToolsSpec | None,
        Field(description="null: no guest operation through VMware Tools; vmrun shows the password to this host"),
    ] = None
    hardware: HardwareSpec
    machines: Annotated[dict[HostName, MachineSpec], Field(min_length=1)]
    guest: GuestSpec
    payload: Annotated[
        PayloadSpec | None, Field(description="files that built seeds bring; null: packages of the distribution alone")
    ] = None
    markers: MarkersSpec
    cloud_init: CloudInitSpec
    # Defaults are not validated: pydantic would build a validator of its own for each.
    cluster: ClusterSpec = ClusterSpec.model_construct()
    claims: ClaimsSpec = ClaimsSpec.model_construct()
    keep: Keep = Keep.ON_FAILURE
    keep_for: Annotated[
        Duration | None,
        Field(description="how long kept machines are wanted, e.g. 24h; `lab down --expired` removes them afterwards"),
    ] = None
    deadlines_s: DeadlinesSpec
    overlays: Annotated[
        dict[str, dict[str, Any]],
        Field(
            default_factory=dict,
            description="partial lab files; `embedded` is applied when the embedded hypervisor runs the lab",
        ),
    ]

    @property
    def keep_for_s(self) -> int | None:
        """How long machines are kept, in seconds; None without an end."""
        units = {"m": 60, "h": 3600, "d": 86400}
        return int(self.keep_for[:-1]) * units[self.keep_for[-1]] if self.keep_for else None

    def memory_mib(self, machine: str) -> int:
        """Return the memory of that machine in MiB."""
        return self.machines[machine].memory_mib or self.hardware.memory_mib

    def cpus(self, machine: str) -> int:
        """Return the virtual processors of that machine."""
        return self.machines[machine].cpus or self.hardware.cpus


def host_path(text: str, base: Path) -> Path:
    """Return a path of a lab file as a path of this host.

    A relative one starts from `base`.
    """
    path = Path(text)
    with contextlib.suppress(RuntimeError):  # `~user`, and this host has no such user.
        path = path.expanduser()
    return path if path.is_absolute() else (base / path).resolve()
