"""What a lab on the embedded hypervisor has at its gateway: a registry that the guests reach, and a record of the rest.

Started before the first machine, because the hypervisor knows the services of a network from its start. Where anything
of it cannot be had, the reason is kept: what would have rested on it is not proven.
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
from harness.airgap.registry_image import digest, tiny_image
from harness.airgap.registry_package import find_program
from harness.airgap.registry_server import RegistryFiles, running_registry, start_registry
from harness.config.model import SeedSource
from harness.config.plan import LabPlan
from harness.core.deadline import Clock, Deadline
from harness.core.errors import HostError
from harness.core.layout import RunFiles, cache_directory
from harness.guest.lab_keys import ensure_registry_certificate
from harness.ownership.ledger import Ledger
from harness.vmrun import Service, Vmrun
from harness.vmrun.discovery import Kind

_START_S = 30.0
_REPOSITORY = "lab/probe"
_VMWARE = "VMware's vmrun shows nothing of what passes a virtual network"
_NO_PROGRAM = "this host has no docker-registry"
_NOT_OURS = "the seeds are somebody else's, and so is the authority that their guests trust"
_NOT_STARTED = "nothing was started at the gateway"


@dataclass(frozen=True)
class GatewayContext:
    """Where the gateway's parts belong: the lab, the run and the ledger."""

    plan: LabPlan
    run: RunFiles
    ledger: Ledger


class Gateway:
    """The registry and the record of one session.

    Attributes:
        pull: The image that the registry has for the guests, or None.
        port: The registry's port of the loopback, or 0.
        no_registry: Why the guests cannot pull from a registry of this lab; empty where they can.
        no_record: Why there is no record of the network; empty where there is one.
    """

    def __init__(self, place: GatewayContext, kind: Kind, vmrun: Vmrun, clock: Clock) -> None:
        self._place = place
        self._kind = kind
        self._vmrun = vmrun
        self._clock = clock
        self._reading = threading.Lock()
        self.pull: Pull | None = None
        self.port = 0
        self.no_registry = _NOT_STARTED
        self.no_record = _NOT_STARTED

    @property
    def _network(self) -> str:
        return self._place.plan.spec.network.vmnet.lower()

    def open(self) -> None:
        """Have registry and record, or the reasons why not; never raises."""
        if self._kind is not Kind.EMBEDDED:
            self.no_record = _VMWARE
            self.no_registry = "on VMware the registry is a service of the host that this lab does not start"
            return
        self.no_record = self._try(self._open_record)
        self.no_registry = self._why_no_registry() or self._try(self._open_registry)

    def close(self) -> None:
        """Have nothing recorded any more; the registry stays with the machines. Never raises."""
        if not self.no_record:
            self._try(lambda: self._vmrun.networks.stop_record(self._network))

    def record(self) -> HostRecord:
        """Return what the host saw up to now.

        Raises:
            HarnessError: The hypervisor does not say what its gateway has open.
            ValueError: A file is no record.
        """
        with self._reading:
            rows = self._vmrun.networks.list_connections(self._network)
            files = sorted(self._directory.glob("*.pcap"))
            packets = tuple(packet for file in files for packet in read_pcap(file.read_bytes()))
        names = tuple(file.relative_to(self._place.run.directory).as_posix() for file in files)
        keys = ("protocol", "state", "source", "source_port", "target", "target_port")
        return HostRecord(packets, tuple(Connection(*(row[key] for key in keys)) for row in rows), names)

    @property
    def _directory(self) -> Path:
        return self._place.run.directory / "network"

    def _try(self, action: Callable[[], None]) -> str:
        try:
            action()
        except Exception as error:  # noqa: BLE001  (whatever it is, the reason is kept, and the work goes on)
            return " ".join(str(error).split("\n", 1)[0].split()) or type(error).__name__
        return ""

    def _open_record(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._vmrun.networks.start_record(self._network, self._directory)

    def _why_no_registry(self) -> str:
        return "" if self._place.plan.spec.seeds.source is SeedSource.BUILT else _NOT_OURS

    def _open_registry(self) -> None:
        spec = self._place.plan.spec
        address, port = spec.registry.address, spec.registry.port
        certificate, key = ensure_registry_certificate(self._place.plan.seed_directory, str(address))
        directory = self._place.run.directory
        wanted = self._known_port(address, port)
        running = running_registry(self._place.ledger, str(address), self._authority, certificate)
        if running and wanted in (0, running):
            self.port = running  # with the images that somebody pushed to it
        else:
            files = RegistryFiles(directory / "registry.yml", directory / "registry.log", certificate, key)
            self.port = self._start(files, wanted)
        self._vmrun.networks.set_service(self._network, Service(address, port, self.port))
        self.pull = self._push(address)

    @property
    def _authority(self) -> Path:
        return self._place.plan.seed_directory / "ca" / "ca.crt"

    def _known_port(self, address: IPv4Address, port: int) -> int:
        """Return where the network leads to already, or 0: machines of an earlier run may be up and hold it so."""
        known = self._vmrun.networks.list_services(self._network)
        return next((one.host_port for one in known if (one.address, one.port) == (address, port)), 0)

    def _start(self, files: RegistryFiles, wanted: int) -> int:
        program = find_program(cache_directory())
        if program is None:
            raise HostError(_NO_PROGRAM, remedy="lab setup --with-deps")
        deadline = Deadline(_START_S, self._clock)
        try:
            return start_registry(program, files, self._place.ledger, wanted, deadline)
        except HostError:
            if not wanted:
                raise
            return start_registry(program, files, self._place.ledger, 0, deadline)  # somebody has that port now

    def _push(self, address: IPv4Address) -> Pull:
        tag = self._place.run.directory.name
        image = tiny_image(f"{self._place.plan.spec.name} {tag}\n")
        push(Endpoint("127.0.0.1", self.port, str(address), self._authority), _REPOSITORY, tag, image)
        return Pull(_REPOSITORY, tag, digest(image.manifest), digest(image.layer))
