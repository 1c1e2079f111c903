"""Gateway of a lab on the embedded hypervisor: registry and network record.

It opens before the first machine starts, because the hypervisor reads the services of a network at its start. If a part
is not available, the gateway keeps the reason, and the checks that need it are not proven.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from harness.airgap.judge import Connection, HostRecord
from harness.airgap.pcap import read_pcap
from harness.airgap.probes import Pull
from harness.airgap.registry_client import Endpoint, push
from harness.airgap.registry_image import Image, digest, tiny_image
from harness.airgap.registry_login import RegistryLogin, ensure_login
from harness.airgap.registry_package import find_program
from harness.airgap.registry_server import (
    RegistryFiles,
    running_proxy,
    running_registry,
    start_proxy,
    start_registry,
)
from harness.config.model import SeedSource
from harness.config.plan import LabPlan
from harness.core.best_effort import error_text
from harness.core.deadline import Clock, Deadline
from harness.core.errors import HostError
from harness.core.layout import RunFiles, cache_directory
from harness.guest.lab_keys import ensure_registry_certificate
from harness.ownership.ledger import Ledger
from harness.system.ports import LOOPBACK
from harness.vmrun.discovery import Kind
from harness.vmrun.driver import Vmrun
from harness.vmrun.networks import Service

_START_S = 30.0
_REPOSITORY = "lab/probe"
_VMWARE = "VMware's vmrun cannot record the traffic of a virtual network"
_NO_PROGRAM = "this host has no docker-registry"
_FOREIGN_SEEDS = "the seeds are provided: their guests do not trust this lab's authority"
_NOT_STARTED = "the gateway is not open"


@dataclass(frozen=True)
class GatewayContext:
    """Lab, run and ledger of a gateway."""

    plan: LabPlan
    run: RunFiles
    ledger: Ledger


@dataclass(frozen=True)
class RegistryFunctions:
    """Functions with which a gateway runs its registry; tests replace them."""

    certificate: Callable[[Path, str], tuple[Path, Path]] = ensure_registry_certificate
    program: Callable[[Path], Path | None] = find_program
    login: Callable[[Path], RegistryLogin] = ensure_login
    running: Callable[[Ledger, RegistryFiles], int] = running_registry
    start: Callable[[Path, RegistryFiles, Ledger, Deadline], int] = start_registry
    running_proxy: Callable[[Ledger, RegistryFiles], int] = running_proxy
    start_proxy: Callable[[int, RegistryFiles, Ledger, int, Deadline], int] = start_proxy
    push: Callable[[Endpoint, str, str, Image], None] = push


class Gateway:
    """Registry and network record of one session.

    Attributes:
        pull: The image that the registry holds for the guests, or None.
        port: The loopback port through which guests pull from the registry, or 0.
        no_registry: Why the guests cannot pull from a registry of this lab; empty if they can.
        no_record: Why there is no network record; empty if there is one.
        no_services: Why the services of the network cannot be listed; empty if they can.
    """

    def __init__(
        self,
        context: GatewayContext,
        kind: Kind,
        vmrun: Vmrun,
        clock: Clock,
        registry: RegistryFunctions = RegistryFunctions(),
    ) -> None:
        self._context = context
        self._kind = kind
        self._vmrun = vmrun
        self._clock = clock
        self._registry = registry
        self._reading = threading.Lock()
        self._endpoint: Endpoint | None = None
        self.pull: Pull | None = None
        self.port = 0
        self.no_registry = _NOT_STARTED
        self.no_record = _NOT_STARTED
        self.no_services = _NOT_STARTED

    @property
    def _network(self) -> str:
        return self._context.plan.spec.network.vmnet.lower()

    def open(self) -> None:
        """Start registry and record, or keep the reasons why not. Never raises."""
        if self._kind is not Kind.EMBEDDED:
            self.no_record = _VMWARE
            self.no_services = "VMware's vmrun cannot list the services of a virtual network"
            self.no_registry = "on VMware this lab does not start a registry"
            return
        self.no_services = ""
        self.no_record = self._try(self._open_record)
        self.no_registry = self._registry_obstacle() or self._try(self._open_registry)

    def close(self) -> None:
        """Stop the record; the registry stays for the machines. Never raises."""
        if not self.no_record:
            self._try(lambda: self._vmrun.networks.stop_record(self._network))

    def push(self, repository: str, tag: str, image: Image) -> str:
        """Push an image for the guests; return the name under which they pull it.

        Raises:
            HostError: There is no registry of this lab, or it does not take the image.
        """
        if self.no_registry or self._endpoint is None:
            raise HostError(self.no_registry, remedy="run the lab on the embedded hypervisor with seeds of its own")
        registry = self._context.plan.spec.registry
        self._registry.push(self._endpoint, repository, tag, image)
        return f"{registry.address}:{registry.port}/{repository}:{tag}"

    def record(self) -> HostRecord:
        """Return the host's record of the network so far.

        Raises:
            HarnessError: The hypervisor does not list the connections of its gateway.
            ValueError: A file is not a pcap file.
        """
        with self._reading:
            rows = self._vmrun.networks.list_connections(self._network)
            files = sorted(self._directory.glob("*.pcap"))
            packets = tuple(packet for file in files for packet in read_pcap(file.read_bytes()))
        names = tuple(file.relative_to(self._context.run.directory).as_posix() for file in files)
        keys = ("protocol", "state", "source", "source_port", "target", "target_port")
        return HostRecord(packets, tuple(Connection(*(row[key] for key in keys)) for row in rows), names)

    def services(self) -> tuple[Service, ...]:
        """Return the services of the network that this lab did not open.

        Without a registry of this lab, one at the registry's address is the planned one.

        Raises:
            HarnessError: The hypervisor does not list them.
        """
        planned = (self._context.plan.spec.registry.address, self._context.plan.spec.registry.port)
        known = self._vmrun.networks.list_services(self._network)
        return tuple(
            one for one in known if (one.address, one.port) != planned or (self.port and one.host_port != self.port)
        )

    @property
    def _directory(self) -> Path:
        return self._context.run.directory / "network"

    def _try(self, action: Callable[[], None]) -> str:
        try:
            action()
        except Exception as error:  # noqa: BLE001  (best effort: any reason is kept, and the run continues)
            return error_text(error)
        return ""

    def _open_record(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._vmrun.networks.start_record(self._network, self._directory)

    def _registry_obstacle(self) -> str:
        return _FOREIGN_SEEDS if self._context.plan.spec.seeds.source is SeedSource.PROVIDED else ""

    def _open_registry(self) -> None:
        spec = self._context.plan.spec
        address, port = spec.registry.address, spec.registry.port
        seeds, ledger = self._context.plan.seed_directory, self._context.ledger
        certificate, key = self._registry.certificate(seeds, str(address))
        login = self._registry.login(seeds)
        files = RegistryFiles(
            self._context.run.directory, str(address), seeds / "ca" / "ca.crt", certificate, key, login
        )
        deadline = Deadline(_START_S, self._clock)
        # One that runs has the images that were pushed to it.
        registry = self._registry.running(ledger, files) or self._start(files, deadline)
        self.port = self._proxy_port(registry, files, deadline)
        self._vmrun.networks.set_service(self._network, Service(address, port, self.port))
        self._endpoint = Endpoint(LOOPBACK, registry, files.name, files.authority, login.header)
        self.pull = self._push(self._endpoint)

    def _known_port(self, address: IPv4Address, port: int) -> int:
        """Return the host port of the network's service, or 0.

        Machines of an earlier run may use it.
        """
        known = self._vmrun.networks.list_services(self._network)
        return next((one.host_port for one in known if (one.address, one.port) == (address, port)), 0)

    def _start(self, files: RegistryFiles, deadline: Deadline) -> int:
        program = self._registry.program(cache_directory())
        if program is None:
            raise HostError(_NO_PROGRAM, remedy="run `lab setup --with-deps`")
        return self._registry.start(program, files, self._context.ledger, deadline)

    def _proxy_port(self, registry: int, files: RegistryFiles, deadline: Deadline) -> int:
        """Return the port of the proxy: where the network leads, if possible."""
        spec, ledger = self._context.plan.spec, self._context.ledger
        wanted = self._known_port(spec.registry.address, spec.registry.port)
        running = self._registry.running_proxy(ledger, files)
        if running and wanted in (0, running):
            return running
        try:
            return self._registry.start_proxy(registry, files, ledger, wanted, deadline)
        except HostError:
            if not wanted:
                raise
            return self._registry.start_proxy(registry, files, ledger, 0, deadline)  # another process has the port

    def _push(self, endpoint: Endpoint) -> Pull:
        tag = self._context.run.directory.name
        image = tiny_image(f"{self._context.plan.spec.name} {tag}\n")
        self._registry.push(endpoint, _REPOSITORY, tag, image)
        return Pull(_REPOSITORY, tag, digest(image.manifest), digest(image.layer))
