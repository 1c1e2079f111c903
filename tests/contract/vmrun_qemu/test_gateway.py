"""Record, connection table and host services of a network's gateway."""

from __future__ import annotations

import json
import socket
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from qemu_lab import Vmrun, eventually, vmrun_fixture  # noqa: F401 - pytest finds the fixture here
from test_frames import FakeGuest

from harness.airgap.pcap import Packet, is_outside, read_pcap
from harness.vmrun_qemu.network import switch

OUTSIDE = "198.51.100.7"  # RFC 5737: an address of no host
NAT = 'ethernet0.connectionType = "nat"\nethernet0.vnet = "VMnet8"\n'
SUBNETS = {"vmnet1": IPv4Network("192.168.6.0/24"), "vmnet8": IPv4Network("192.168.80.0/24")}
IPV4 = 0x0800


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return int(~(total + (total >> 16)) & 0xFFFF)


def ip_packet(source: bytes, target: bytes, protocol: int, payload: bytes) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0) + source + target
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def udp(source_port: int, target_port: int, payload: bytes) -> bytes:
    return struct.pack(">HHHH", source_port, target_port, 8 + len(payload), 0) + payload


def tcp_syn(source: bytes, target: bytes, source_port: int, target_port: int) -> bytes:
    segment = struct.pack(">HHIIBBHHH", source_port, target_port, 1, 0, 0x50, 0x02, 8192, 0, 0)
    pseudo = source + target + struct.pack(">BBH", 0, 6, len(segment))
    return segment[:16] + struct.pack(">H", checksum(pseudo + segment)) + segment[18:]


def syn(guest: FakeTalker, source_port: int, target_port: int, there: bytes) -> bytes:
    return tcp_syn(guest.address, there, source_port, target_port)


class FakeTalker(FakeGuest):
    """A card that speaks IP to the gateway of its network."""

    def __init__(self, folder: Path, vmnet: str) -> None:
        super().__init__(folder, 10, str(SUBNETS[vmnet][10]))
        self.plug["vmnet"] = vmnet
        self.gateway = b"\x52\x55" + socket.inet_aton(str(SUBNETS[vmnet][-2 if vmnet == "vmnet1" else 2]))

    def send_ip(self, target: str, protocol: int, payload: Callable[[bytes], bytes]) -> None:
        there = socket.inet_aton(target)
        self.send(self.gateway, IPV4, ip_packet(self.address, there, protocol, payload(there)))

    def ask_outside(self) -> None:
        self.send_ip(OUTSIDE, 17, lambda _: udp(4000, 53, b"a question"))
        self.send_ip(OUTSIDE, 6, lambda there: tcp_syn(self.address, there, 4001, 443))

    def hello(self) -> None:
        """Make the card known to the gateway, as an ARP request does."""
        self.who_has(str(SUBNETS[self.plug["vmnet"]][-2 if self.plug["vmnet"] == "vmnet1" else 2]))
        self.receive(0x0806)


Talker = Callable[[str], FakeTalker]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vq-", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
def talker(vmrun: Vmrun, folder: Path) -> Iterator[Talker]:
    """Makes a card on the network of a machine that runs."""
    made = []

    def make(vmnet: str) -> FakeTalker:
        vmrun.ok("start", vmrun.machine("one", NAT if vmnet == "vmnet8" else ""), "nogui")
        guest = FakeTalker(folder, vmnet)
        made.append(guest)
        switch.attach(vmrun.switch(vmnet)["qmp"], "fake", guest.plug)
        guest.connect()
        guest.hello()
        return guest

    yield make
    for guest in made:
        guest.cable.close()
        guest.listener.close()


def recorded(folder: Path) -> list[Packet]:
    return [packet for file in sorted(folder.glob("*.pcap")) for packet in read_pcap(file.read_bytes())]


def outward(vmrun: Vmrun, vmnet: str) -> list[str]:
    rows = json.loads(vmrun.ok("listConnections", vmnet))
    return [f"{row['protocol']} {row['target']}:{row['target_port']}" for row in rows if row["target"] == OUTSIDE]


@pytest.mark.parametrize(("vmnet", "opened"), [("vmnet1", []), ("vmnet8", [f"UDP {OUTSIDE}:53"])])
def test_a_closed_network_lets_nothing_out_and_an_open_one_is_seen_to(
    vmrun: Vmrun, folder: Path, talker: Talker, vmnet: str, opened: list[str]
) -> None:
    vmrun.ok("startRecord", vmnet, folder)
    guest = talker(vmnet)
    guest.ask_outside()
    assert eventually(lambda: len([p for p in recorded(folder) if str(p.target) == OUTSIDE]) == 2)
    assert [row for row in outward(vmrun, vmnet) if row.startswith("UDP")] == opened
    back = [packet for packet in recorded(folder) if is_outside(packet.source, SUBNETS[vmnet])]
    assert vmnet == "vmnet8" or all(packet.reset for packet in back), back


def test_a_record_begins_and_ends_while_the_network_is_up_and_goes_on_after_a_restart(
    vmrun: Vmrun, folder: Path, talker: Talker
) -> None:
    guest = talker("vmnet1")
    guest.ask_outside()
    vmrun.ok("startRecord", "vmnet1", folder)
    assert recorded(folder) == []
    guest.ask_outside()
    assert eventually(lambda: len(recorded(folder)) >= 2)
    vmrun.ok("stopRecord", "vmnet1")
    count = len(recorded(folder))
    guest.ask_outside()
    vmrun.ok("listConnections", "vmnet1")
    assert len(recorded(folder)) == count
    vmrun.ok("startRecord", "vmnet1", folder)
    vmrun.ok("stop", vmrun.vms / "one" / "one.vmx", "hard")
    vmrun.ok("start", vmrun.vms / "one" / "one.vmx", "nogui")
    assert [file.name for file in sorted(folder.glob("*.pcap"))] == [f"vmnet1-{number}.pcap" for number in (1, 2, 3)]


def test_a_record_whose_directory_is_gone_holds_up_no_start(vmrun: Vmrun, tmp_path: Path) -> None:
    there = tmp_path / "run"
    there.mkdir()
    vmrun.ok("startRecord", "vmnet1", there)
    there.rmdir()
    vmrun.ok("start", vmrun.machine("one"), "nogui")
    assert vmrun("startRecord", "vmnet1", there)[0] == 255


def test_a_network_that_is_down_has_nothing_open(vmrun: Vmrun) -> None:
    assert json.loads(vmrun.ok("listConnections", "vmnet1")) == []
    vmrun.ok("stopRecord", "vmnet1")


class FakeService:
    """A service on the loopback that answers each line with the line."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.clients: list[str] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                wire, _ = self._listener.accept()
            except OSError:
                return
            with wire:
                self.clients.append(wire.recv(100).decode())

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def service() -> Iterator[FakeService]:
    found = FakeService()
    yield found
    found.close()


def test_a_service_is_reached_at_its_address_and_nothing_else_is(
    vmrun: Vmrun, folder: Path, talker: Talker, service: FakeService
) -> None:
    vmrun.ok("setService", "vmnet1", "192.168.6.1", "5000", str(service.port))
    guest = talker("vmnet1")
    vmrun.ok("startRecord", "vmnet1", folder)
    asked = ((5000, "192.168.6.1"), (5001, "192.168.6.1"), (service.port, "192.168.6.254"))
    for number, (port, address) in enumerate(asked):
        guest.send_ip(address, 6, partial(syn, guest, 4000 + number, port))
    assert eventually(lambda: 5000 in {packet.source_port for packet in recorded(folder)})
    vmrun.ok("listConnections", "vmnet1")
    answers = {packet.source_port: packet.reset for packet in recorded(folder) if 4000 <= packet.target_port <= 4002}
    assert answers.pop(5000) is False
    assert all(answers.values()), "every other answer is a refusal"


def test_services_are_set_while_the_network_is_down(vmrun: Vmrun) -> None:
    vmrun.ok("setService", "vmnet1", "192.168.6.1", "5000", "40000")
    vmrun.ok("start", vmrun.machine("one"), "nogui")
    vmrun.ok("setService", "vmnet1", "192.168.6.1", "5000", "40000")
    vmrun.ok("deleteService", "vmnet1", "192.168.6.1", "5001")
    for words in (
        ("setService", "vmnet1", "192.168.6.1", "5000", "40001"),
        ("deleteService", "vmnet1", "192.168.6.1", "5000"),
    ):
        code, output = vmrun(*words)
        assert (code, "in use" in output) == (255, True)


@pytest.mark.parametrize("address", ["10.0.0.1", "192.168.6.254", "192.168.6.253", "192.168.6.255", "nonsense"])
def test_a_service_has_a_free_address_of_its_network(vmrun: Vmrun, address: str) -> None:
    code, output = vmrun("setService", "vmnet1", address, "5000", "40000")
    assert (code, output[:7]) == (255, "Error: ")
