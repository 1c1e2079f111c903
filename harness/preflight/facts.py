"""What is known of the host. A fact that could not be had says so; nothing here judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from harness.core.best_effort import error_text
from harness.core.errors import HarnessError
from harness.system.windows.logon_session import Session
from harness.system.windows.vmware_install import Product
from harness.vmrun import HostNetwork, PortForwarding
from harness.vmrun.discovery import Kind

T = TypeVar("T")


class SeedIso(Protocol):
    """What an ISO says about itself, as far as the host checks ask; None where it says nothing."""

    @property
    def volume_id(self) -> str:
        """The volume identifier."""

    @property
    def bios_bootable(self) -> bool:
        """Whether it has an El Torito entry for a BIOS."""

    @property
    def machine(self) -> str | None:
        """The machine that it installs."""

    @property
    def address(self) -> str | None:
        """The address that it gives to that machine."""

    @property
    def role(self) -> str | None:
        """The role that it gives to that machine."""


@dataclass(frozen=True)
class Fact(Generic[T]):
    """A value, or why there is none; `missing` says that what was to be looked at does not exist.

    `remedy` is what the error that stands for the value said to do.
    """

    value: T | None = None
    problem: str = ""
    missing: bool = False
    remedy: str = ""

    def remedy_after(self, remedy: str) -> str:
        """Return the remedy of a check, and that of the fact's own problem behind it where it says something else."""
        return remedy if self.remedy in remedy else f"{remedy}\n{self.remedy}"


def observe(look: Callable[[], T]) -> Fact[T]:
    """Return what `look` returns as a fact; never raises."""
    try:
        return Fact(look())
    except HarnessError as error:
        said = " ".join(error.said.split())
        return Fact(problem=": ".join(filter(None, (error_text(error), said))), remedy=error.remedy)
    except FileNotFoundError as error:
        return Fact(problem=f"{error.filename or error} does not exist", missing=True)
    except Exception as error:  # noqa: BLE001  (an unreadable fact is a fact, whatever made it so)
        return Fact(problem=error_text(error))


@dataclass(frozen=True)
class Network:
    """The lab's network as the host has it, and where that was read; `found` is None where there is no such network."""

    found: HostNetwork | None
    source: str


@dataclass(frozen=True)
class Key:
    """The SSH key file: `kind` as `ssh-ed25519`; `readers` are who else may read it, None where that cannot be told."""

    kind: Fact[str]
    readers: Fact[tuple[str, ...]]


@dataclass(frozen=True)
class Daemon:
    """What VMware needs running on this host beside its programs; no name where it needs nothing.

    `installed` is whether it is on this host at all.
    """

    name: str = ""
    running: bool = True
    seen: str = ""
    installed: bool = True


@dataclass(frozen=True)
class HostFacts:
    """Everything that the host checks judge. Sizes are in MiB.

    Attributes:
        platform: As `sys.platform`.
        account: The account of this process, as the system's tools want to hear it.
        session: The logon session of Windows; None where the system has no such thing.
        products: What the Windows registry says is installed.
        long_paths: Whether Windows lets programs use paths of more than 259 characters.
        daemon: What has to run beside VMware's programs.
        addresses: The IPv4 addresses of this host's adapters, by adapter.
        elevated: Whether this process has an administrator's rights; None where the system has no such thing.
        probe_directory: The nearest directory above and including the VM directory that exists.
        writable: That directory takes a new file (True), or the problem says why not.
        running: The VMX files that `vmrun list` names.
        claimed: The machine directories that this lab's ledger names.
        held_disk_mib: What each of them takes on the disk.
        isos: By machine.
        ports: By machine, for those that are reached through a port of this host: whether it is free.
        forwardings: What the hypervisor forwards into the lab's network already.
    """

    platform: str
    kind: Kind
    version: str
    vmrun: str
    account: str
    session: Fact[Session | None]
    products: tuple[Product, ...]
    long_paths: bool
    daemon: Fact[Daemon]
    addresses: Fact[Mapping[str, tuple[IPv4Address, ...]]]
    elevated: Fact[bool | None]
    probe_directory: Path
    writable: Fact[bool]
    running: Fact[tuple[Path, ...]]
    claimed: Fact[tuple[Path, ...]]
    held_disk_mib: Fact[Mapping[Path, int]]
    seed_directory: Fact[bool]
    isos: Mapping[str, Fact[SeedIso]]
    network: Fact[Network]
    free_disk_mib: Fact[int]
    free_memory_mib: Fact[int]
    key: Key
    ports: Mapping[str, Fact[bool]]
    forwardings: Fact[tuple[PortForwarding, ...]]
