"""The gateway opens registry and record, or keeps the reasons why not."""

from __future__ import annotations

import json
from ipaddress import IPv4Address
from pathlib import Path
from typing import cast

import pytest

from harness.airgap.gateway import Gateway, GatewayContext, RegistryFunctions
from harness.airgap.registry_client import Endpoint
from harness.airgap.registry_login import RegistryLogin
from harness.config import load_lab
from harness.config.plan import make_plan
from harness.core.deadline import SYSTEM_CLOCK
from harness.core.errors import HostError, VmrunError
from harness.core.layout import RunFiles
from harness.core.secret import Secret
from harness.ownership.ledger import Ledger
from harness.vmrun.discovery import Kind
from harness.vmrun.driver import Vmrun
from harness.vmrun.networks import Service

LAB = Path(__file__).parents[3] / "scenarios" / "lab.yaml"
REGISTRY = IPv4Address("192.168.6.1")


class FakeNetworks:
    """The network verbs that a gateway uses."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.commands: list[str] = []
        self.services: tuple[Service, ...] = ()

    def start_record(self, vmnet: str, directory: Path) -> None:
        self._do(f"record {vmnet} {directory.name}")

    def stop_record(self, vmnet: str) -> None:
        self._do(f"stop {vmnet}")

    def set_service(self, vmnet: str, service: Service) -> None:
        self._do(f"service {vmnet} {service.host_port}")

    def list_services(self, vmnet: str) -> tuple[Service, ...]:
        return self.services

    def list_connections(self, vmnet: str) -> tuple[dict[str, str], ...]:
        row = {"protocol": "UDP", "state": "9 sec", "source": "192.168.6.10", "source_port": "4000"}
        return ({**row, "target": "198.51.100.7", "target_port": "53"},)

    def _do(self, text: str) -> None:
        if self.refuses:
            raise VmrunError("the network is not available", remedy="")
        self.commands.append(text)


class FakeRegistry:
    """A registry without a process that keeps its starts and pushes.

    Args:
        running: Port of the registry of an earlier run, or 0.
        proxy: Port of the proxy of an earlier run, or 0.
        taken: A port that another process has.
        installed: Whether the host has the registry's program.
    """

    def __init__(self, running: int = 0, proxy: int = 0, taken: int = 0, *, installed: bool = True) -> None:
        self.running = running
        self.proxy = proxy
        self.taken = taken
        self.installed = installed
        self.started = 0
        self.proxies: list[int] = []
        self.pushed: list[Endpoint] = []

    def start(self, *_: object) -> int:
        self.started += 1
        return 50000

    def start_proxy(self, registry: int, _files: object, _ledger: object, port: int, _deadline: object) -> int:
        assert registry == (self.running or 50000)
        self.proxies.append(port)
        if port and port == self.taken:
            raise HostError("the proxy ended: address already in use", remedy="")
        return 60000

    @property
    def functions(self) -> RegistryFunctions:
        """What a gateway calls."""
        return RegistryFunctions(
            certificate=lambda directory, _: (directory / "crt", directory / "key"),
            program=lambda _: Path("docker-registry") if self.installed else None,
            running=lambda *_: self.running,
            login=lambda directory: RegistryLogin(Secret("push-4711"), directory, directory, directory),
            start=self.start,
            running_proxy=lambda *_: self.proxy,
            start_proxy=self.start_proxy,
            push=lambda endpoint, *_: self.pushed.append(endpoint),
        )


def new_gateway(tmp_path: Path, networks: FakeNetworks, registry: FakeRegistry, kind: Kind = Kind.EMBEDDED) -> Gateway:
    overlay = "embedded" if kind is Kind.EMBEDDED else None
    run = RunFiles(tmp_path / "run")
    run.directory.mkdir()
    plan = make_plan(load_lab(LAB, overlay), LAB, overlay=overlay, run_id="run")
    vmrun = cast(Vmrun, type("FakeVmrun", (), {"networks": networks})())
    context = GatewayContext(plan, run, Ledger(tmp_path / "ledger.json", "lab"))
    return Gateway(context, kind, vmrun, SYSTEM_CLOCK, registry.functions)


def test_vmware_records_nothing_and_gets_no_command(tmp_path: Path) -> None:
    networks = FakeNetworks()
    gateway = new_gateway(tmp_path, networks, FakeRegistry(), Kind.VMWARE)
    gateway.open()
    gateway.close()
    assert networks.commands == []
    assert "VMware" in gateway.no_record
    assert "VMware" in gateway.no_registry


def test_a_host_without_the_program_reports_it_and_still_records(tmp_path: Path) -> None:
    networks = FakeNetworks()
    gateway = new_gateway(tmp_path, networks, FakeRegistry(installed=False))
    gateway.open()
    gateway.close()
    assert networks.commands == ["record vmnet1 network", "stop vmnet1"]
    assert gateway.no_record == ""
    assert gateway.no_registry == "this host has no docker-registry"
    assert gateway.pull is None


@pytest.mark.parametrize(("running", "port"), [(40001, 40001), (0, 50000)])
def test_a_registry_that_serves_is_kept_and_pushed_to_with_the_login(tmp_path: Path, running: int, port: int) -> None:
    registry = FakeRegistry(running, 40002)
    gateway = new_gateway(tmp_path, FakeNetworks(), registry)
    gateway.open()
    assert (gateway.no_registry, registry.started) == ("", 0 if running else 1)
    assert [(one.port, one.login) for one in registry.pushed] == [(port, "Basic bGFiOnB1c2gtNDcxMQ==")]


@pytest.mark.parametrize(
    ("proxy", "led_to", "port"),
    [(40001, 40001, 40001), (40001, 0, 40001), (40001, 40002, 60000), (0, 40001, 60000), (0, 0, 60000)],
)
def test_the_network_leads_to_the_proxy_at_the_port_of_before_if_possible(
    tmp_path: Path, proxy: int, led_to: int, port: int
) -> None:
    networks, registry = FakeNetworks(), FakeRegistry(40009, proxy)
    elsewhere = Service(IPv4Address("192.168.6.2"), 5000, 40009), Service(REGISTRY, 8080, 40008)
    networks.services = (*elsewhere, *([Service(REGISTRY, 5000, led_to)] if led_to else []))
    gateway = new_gateway(tmp_path, networks, registry)
    gateway.open()
    assert (gateway.no_registry, gateway.port) == ("", port)
    assert registry.proxies == ([] if port == proxy else [led_to])
    assert networks.commands[-1] == f"service vmnet1 {port}"


def test_a_port_that_another_process_took_is_replaced(tmp_path: Path) -> None:
    networks, registry = FakeNetworks(), FakeRegistry(taken=40001)
    networks.services = (Service(REGISTRY, 5000, 40001),)
    gateway = new_gateway(tmp_path, networks, registry)
    gateway.open()
    assert (gateway.no_registry, registry.proxies) == ("", [40001, 0])
    assert networks.commands[-1] == "service vmnet1 60000"


def test_a_refusal_of_the_hypervisor_is_a_reason_and_does_not_raise(tmp_path: Path) -> None:
    gateway = new_gateway(tmp_path, FakeNetworks(refuses=True), FakeRegistry(installed=False))
    gateway.open()
    assert "the network is not available" in gateway.no_record


def test_the_record_has_the_files_and_the_table(tmp_path: Path) -> None:
    gateway = new_gateway(tmp_path, FakeNetworks(), FakeRegistry())
    network = tmp_path / "run" / "network"
    network.mkdir()
    empty = bytes.fromhex("d4c3b2a1020004000000000000000000000001000100000000000000"[:48])
    (network / "vmnet1-1.pcap").write_bytes(empty)
    record = gateway.record()
    assert record.files == ("network/vmnet1-1.pcap",)
    assert [str(item) for item in record.connections] == ["UDP 192.168.6.10:4000 -> 198.51.100.7:53"]
    assert json.dumps(record.packets) == "[]"


OTHER = Service(IPv4Address("192.168.6.77"), 80, 18099)
SECOND = Service(REGISTRY, 8080, 40008)


@pytest.mark.parametrize(
    ("running", "there", "foreign"),
    [
        (40001, [Service(REGISTRY, 5000, 40001)], []),
        (40001, [Service(REGISTRY, 5000, 40001), OTHER], [OTHER]),
        (40001, [SECOND, OTHER], [SECOND, OTHER]),
        (40001, [Service(REGISTRY, 5000, 40002)], [Service(REGISTRY, 5000, 40002)]),
        (0, [], []),
    ],
)
def test_the_services_that_the_lab_did_not_open_are_listed(
    tmp_path: Path, running: int, there: list[Service], foreign: list[Service]
) -> None:
    networks = FakeNetworks()
    gateway = new_gateway(tmp_path, networks, FakeRegistry(40009, running))
    gateway.open()
    networks.services = tuple(there)
    assert (list(gateway.services()), gateway.no_services) == (foreign, "")


def test_without_a_registry_of_the_lab_one_at_its_address_is_planned(tmp_path: Path) -> None:
    networks = FakeNetworks()
    networks.services = (Service(REGISTRY, 5000, 40001), OTHER)
    gateway = new_gateway(tmp_path, networks, FakeRegistry(installed=False))
    gateway.open()
    assert gateway.services() == (OTHER,)


def test_vmware_lists_no_services(tmp_path: Path) -> None:
    gateway = new_gateway(tmp_path, FakeNetworks(), FakeRegistry(), Kind.VMWARE)
    assert gateway.no_services
    gateway.open()
    assert "VMware" in gateway.no_services
