"""Facts of the host, without judgement.

A fact that cannot be collected has a problem.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from harness.core.best_effort import error_text
from harness.core.errors import HarnessError
from harness.core.finding import Finding
from harness.system.windows.drives import Drive
from harness.system.windows.logon_session import Session
from harness.system.windows.vmware_install import Product
from harness.vmrun.discovery import Kind
from harness.vmrun.networks import HostNetwork, PortForwarding

T = TypeVar("T")


class SeedIso(Protocol):
    """Facts of a seed ISO that the host checks need.

    None if unknown.
    """

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

    @property
    def has_k3s(self) -> bool:
        """Whether it brings k3s."""

    @property
    def findings(self) -> Sequence[Finding]:
        """What is wrong with one that was built elsewhere."""

    @property
    def elsewhere(self) -> str:
        """Why it holds no autoinstall data, where that may be intended."""

    @property
    def damage(self) -> tuple[str, ...]:
        """What is not as it was written, if that is known."""


@dataclass(frozen=True)
class Fact(Generic[T]):
    """A value, or the problem why there is none.

    Attributes:
        missing: Whether the file or directory does not exist.
        remedy: The remedy of the error that took the place of the value.
    """

    value: T | None = None
    problem: str = ""
    missing: bool = False
    remedy: str = ""

    def remedy_after(self, remedy: str) -> str:
        """Append the fact's own remedy to a check's remedy, without repetition."""
        return remedy if self.remedy in remedy else f"{remedy}\n{self.remedy}"


def observe(look: Callable[[], T]) -> Fact[T]:
    """Call `look` and return its result or exception as a fact.

    Never raise.
    """
    try:
        return Fact(look())
    except HarnessError as error:
        detail = " ".join(error.detail.split())
        return Fact(problem=": ".join(filter(None, (error_text(error), detail))), remedy=error.remedy)
    except FileNotFoundError as error:
        return Fact(problem=f"{error.filename or error} does not exist", missing=True)
    except Exception as error:  # noqa: BLE001  (any exception becomes the problem of the fact)
        return Fact(problem=error_text(error))


@dataclass(frozen=True)
class Network:
    """The lab's network on the host, or None, and its source."""

    found: HostNetwork | None
    source: str


@dataclass(frozen=True)
class Key:
    """SSH key file: `kind` as `ssh-ed25519`; `readers` besides the owner."""

    kind: Fact[str]
    readers: Fact[tuple[str, ...]]


@dataclass(frozen=True)
class Daemon:
    """Service or kernel modules that VMware needs on this host.

    `name` is empty if it needs none. `installed`: whether it is installed on this host.
    """

    name: str = ""
    running: bool = True
    seen: str = ""
    installed: bool = True


@dataclass(frozen=True)
class HostFacts:
    """All facts that the host checks judge; sizes are in MiB.

    Attributes:
        platform: As `sys.platform`.
        account: The account of this process in the notation of the system's tools.
        session: The logon session on Windows; None elsewhere.
        products: VMware products in the Windows registry.
        long_paths: Whether Windows lets programs use paths of more than 259 characters.
        daemon: Service or kernel modules that VMware's programs need.
        addresses: The IPv4 addresses of this host's adapters, by adapter.
        elevated: Whether this process has administrator rights on Windows; None elsewhere.
        probe_directory: The VM directory, or its nearest parent that exists.
        writable: True if a file can be created in that directory; otherwise the problem.
        running: The VMX files of `vmrun list`.
        registered: The machine directories in this lab's ledger.
        unregistered: By machine: the names of a VM in its directory, which is not in this lab's ledger.
        open_in: By machine: the locks of programs that run and have its files open.
        held_disk_mib: Disk usage of each registered directory.
        isos: By machine.
        installer: The ISO that boots, where the seeds hold only the data for it; else None.
        drives: The drives of a Windows host; none elsewhere.
        seed_mib: Size of each machine's seed ISO that exists, rounded up.
        ports: By machine with a forwarded port of this host: whether the port is free.
        forwardings: Existing port forwardings into the lab's network.
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
    registered: Fact[tuple[Path, ...]]
    unregistered: Fact[Mapping[str, tuple[str, ...]]]
    open_in: Fact[Mapping[str, tuple[str, ...]]]
    held_disk_mib: Fact[Mapping[Path, int]]
    seed_directory: Fact[bool]
    isos: Mapping[str, Fact[SeedIso]]
    drives: Fact[tuple[Drive, ...]]
    seed_mib: Mapping[str, int]
    network: Fact[Network]
    free_disk_mib: Fact[int]
    free_memory_mib: Fact[int]
    key: Key
    ports: Mapping[str, Fact[bool]]
    forwardings: Fact[tuple[PortForwarding, ...]]
    installer: Fact[SeedIso] | None = None
