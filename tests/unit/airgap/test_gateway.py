"""What a lab has at its gateway, and what it says where it has nothing."""

from __future__ import annotations

import json
from ipaddress import IPv4Address
from pathlib import Path
from typing import cast

import pytest

from harness.airgap import gateway
from harness.airgap.gateway import Gateway, GatewayContext
from harness.airgap.registry_client import Endpoint
from harness.config import load_lab
from harness.config.plan import make_plan
from harness.core.deadline import SYSTEM_CLOCK
from harness.core.errors import HostError, VmrunError
from harness.core.layout import RunFiles
from harness.ownership.ledger import Ledger
from harness.vmrun import Service, Vmrun
from harness.vmrun.discovery import Kind

LAB = Path(__file__).parents[3] / "scenarios" / "lab.yaml"
REGISTRY = IPv4Address("192.168.6.1")


class FakeNetworks:
    """The network verbs that a gateway uses."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.said: list[str] = []
        self.services: tuple[Service, ...] = ()

    def start_record(self, vmnet: str, directory: Path) -> None:
        self._say(f"record {vmnet} {directory.name}")

    def stop_record(self, vmnet: str) -> None:
        self._say(f"stop {vmnet}")

    def set_service(self, vmnet: str, service: Service) -> None:
        self._say(f"service {vmnet} {service.host_port}")

    def list_services(self, vmnet: str) -> tuple[Service, ...]:
        return self.services

    def list_connections(self, vmnet: str) -> tuple[dict[str, str], ...]:
        row = {"protocol": "UDP", "state": "9 sec", "source": "192.168.6.10", "source_port": "4000"}
        return ({**row, "target": "198.51.100.7", "target_port": "53"},)

    def _say(self, text: str) -> None:
        if self.refuses:
            raise VmrunError("the network cannot be had", remedy="")
        self.said.append(text)


def made(tmp_path: Path, networks: FakeNetworks, kind: Kind, overlay: str | None = "embedded") -> Gateway:
    run = RunFiles(tmp_path / "run")
    run.directory.mkdir()
    plan = make_plan(load_lab(LAB, overlay), LAB, overlay=overlay, run_id="run")
    vmrun = cast(Vmrun, type("FakeVmrun", (), {"networks": networks})())
    return Gateway(GatewayContext(plan, run, Ledger(tmp_path / "ledger.json", "lab")), kind, vmrun, SYSTEM_CLOCK)


def test_vmware_shows_nothing_and_is_asked_nothing(tmp_path: Path) -> None:
    networks = FakeNetworks()
    opened = made(tmp_path, networks, Kind.VMWARE, None)
    opened.open()
    opened.close()
    assert networks.said == []
    assert "VMware" in opened.no_record
    assert "VMware" in opened.no_registry


def test_a_host_without_the_program_says_so_and_is_recorded_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "find_program", lambda _: None)
    monkeypatch.setattr(gateway, "ensure_registry_certificate", lambda *_: (tmp_path / "crt", tmp_path / "key"))
    networks = FakeNetworks()
    opened = made(tmp_path, networks, Kind.EMBEDDED)
    opened.open()
    opened.close()
    assert networks.said == ["record vmnet1 network", "stop vmnet1"]
    assert opened.no_record == ""
    assert opened.no_registry == "this host has no docker-registry"
    assert opened.pull is None


@pytest.mark.parametrize(
    ("running", "led_to", "port"),
    [(40001, 40001, 40001), (40001, 0, 40001), (40001, 40002, 50000), (0, 40001, 50000), (0, 0, 50000)],
)
def test_a_registry_that_serves_is_kept_unless_the_network_leads_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, running: int, led_to: int, port: int
) -> None:
    monkeypatch.setattr(gateway, "ensure_registry_certificate", lambda *_: (tmp_path / "crt", tmp_path / "key"))
    monkeypatch.setattr(gateway, "running_registry", lambda *_: running)
    monkeypatch.setattr(gateway, "find_program", lambda _: tmp_path / "docker-registry")
    started = starts(monkeypatch)
    pushed: list[Endpoint] = []
    monkeypatch.setattr(gateway, "push", lambda endpoint, *_: pushed.append(endpoint))
    networks = FakeNetworks()
    elsewhere = Service(IPv4Address("192.168.6.2"), 5000, 40009), Service(REGISTRY, 8080, 40008)
    networks.services = (*elsewhere, *([Service(REGISTRY, 5000, led_to)] if led_to else []))
    opened = made(tmp_path, networks, Kind.EMBEDDED)
    opened.open()
    assert opened.no_registry == ""
    assert opened.port == pushed[0].port == port
    assert started == ([] if port == running else [led_to])
    assert networks.said[-1] == f"service vmnet1 {port}"


def starts(monkeypatch: pytest.MonkeyPatch, taken: int = 0) -> list[int]:
    """Have a registry of no process; return the ports that were wanted of it, where 0 is any and one may be taken."""
    wanted: list[int] = []

    def start(program: Path, files: object, ledger: object, port: int, deadline: object) -> int:
        wanted.append(port)
        if port and port == taken:
            raise HostError("the registry ended: address already in use", remedy="")
        return 50000

    monkeypatch.setattr(gateway, "start_registry", start)
    return wanted


def test_a_port_that_somebody_else_has_by_now_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "ensure_registry_certificate", lambda *_: (tmp_path / "crt", tmp_path / "key"))
    monkeypatch.setattr(gateway, "running_registry", lambda *_: 0)
    monkeypatch.setattr(gateway, "find_program", lambda _: tmp_path / "docker-registry")
    monkeypatch.setattr(gateway, "push", lambda *_: None)
    started, networks = starts(monkeypatch, taken=40001), FakeNetworks()
    networks.services = (Service(REGISTRY, 5000, 40001),)
    opened = made(tmp_path, networks, Kind.EMBEDDED)
    opened.open()
    assert (opened.no_registry, started) == ("", [40001, 0])
    assert networks.said[-1] == "service vmnet1 50000"


def test_what_the_hypervisor_refuses_is_a_reason_and_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "find_program", lambda _: None)
    opened = made(tmp_path, FakeNetworks(refuses=True), Kind.EMBEDDED)
    opened.open()
    assert "the network cannot be had" in opened.no_record


def test_the_record_is_files_and_table_together(tmp_path: Path) -> None:
    opened = made(tmp_path, FakeNetworks(), Kind.EMBEDDED)
    network = tmp_path / "run" / "network"
    network.mkdir()
    empty = bytes.fromhex("d4c3b2a1020004000000000000000000000001000100000000000000"[:48])
    (network / "vmnet1-1.pcap").write_bytes(empty)
    record = opened.record()
    assert record.files == ("network/vmnet1-1.pcap",)
    assert [str(item) for item in record.connections] == ["UDP 192.168.6.10:4000 -> 198.51.100.7:53"]
    assert json.dumps(record.packets) == "[]"
