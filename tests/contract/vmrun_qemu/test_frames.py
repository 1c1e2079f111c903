"""Frames on the virtual network, seen by bare network cards."""

from __future__ import annotations

import contextlib
import socket
import struct
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from qemu_lab import Vmrun, vmrun_fixture  # noqa: F401 - pytest finds the fixture here

from harness.vmrun_qemu.base.endpoint import Endpoint
from harness.vmrun_qemu.base.records import Plug
from harness.vmrun_qemu.network import gateway_bridge, switch
from harness.vmrun_qemu.qemu import qmp

BROADCAST = b"\xff" * 6
IPV4, ARP, TEST_TYPE = 0x0800, 0x0806, 0x88B5  # 0x88B5: IEEE 802, local experiments


def ip_packet(source: bytes, target: bytes, payload: bytes) -> bytes:
    """Return an IPv4 packet with TCP (RFC 791) and its checksum."""
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, 6, 0) + source + target
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + struct.pack(">H", ~total & 0xFFFF) + head[12:] + payload


class FakeGuest:
    """A network card at the end of a cable.

    QEMU's stream framing is a 32-bit length and the frame.
    """

    def __init__(self, folder: Path, number: int, address: str, *, listens: bool = True) -> None:
        self.mac = b"\x00\x0c\x29\x00\x00" + bytes([number])
        self.address = socket.inet_aton(address)
        self.listener = socket.socket(socket.AF_UNIX)
        self.plug: Plug = {"nic": "ethernet0", "vmnet": "vmnet1", "endpoint": str(folder / f"guest{number}")}
        self.listener.settimeout(10)
        if listens:
            self.listen()

    def listen(self) -> None:
        self.listener.bind(self.plug["endpoint"])
        self.listener.listen()

    def connect(self) -> None:
        self.cable, _ = self.listener.accept()
        self.cable.settimeout(10)

    def send(self, target: bytes, kind: int, payload: bytes) -> None:
        frame = (target + self.mac + struct.pack(">H", kind) + payload).ljust(60, b"\0")
        self.cable.sendall(struct.pack(">I", len(frame)) + frame)

    def receive(self, kind: int) -> bytes:
        """Return the payload of the next frame of that kind."""
        while True:
            (length,) = struct.unpack(">I", self._exactly(4))
            frame = self._exactly(length)
            if struct.unpack(">H", frame[12:14])[0] == kind:
                return frame[14:]

    def say(self, target: bytes, payload: bytes, listener: FakeGuest) -> bytes:
        """Send until `listener` receives; return what it received.

        A switch drops frames that a card is not ready for.
        """
        listener.cable.settimeout(0.5)
        for _ in range(40):
            self.send(target, TEST_TYPE, payload)
            with contextlib.suppress(TimeoutError):
                return listener.receive(TEST_TYPE)
        raise AssertionError(f"never heard: {payload!r}")

    def who_has(self, address: str) -> None:
        question = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + self.mac + self.address
        self.send(BROADCAST, ARP, question + bytes(6) + socket.inet_aton(address))

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.cable.recv(count - len(data))
            assert more, "the switch hung up"
            data += more
        return data


@pytest.fixture
def guests(vmrun: Vmrun) -> Iterator[list[FakeGuest]]:
    """Two cards on the network of a machine that runs."""
    vmrun.ok("start", vmrun.machine("one"), "nogui")
    with tempfile.TemporaryDirectory(prefix="vq-", dir="/tmp") as folder:
        found = [FakeGuest(Path(folder), number, f"192.168.6.{number}") for number in (10, 11)]
        for number, guest in enumerate(found):
            switch.attach(vmrun.switch()["qmp"], f"fake{number}", guest.plug)
            guest.connect()
        yield found
        for guest in found:
            guest.cable.close()
            guest.listener.close()


def test_frames_travel_between_guests(guests: list[FakeGuest]) -> None:
    one, two = guests
    assert one.say(two.mac, b"hello, two", two).startswith(b"hello, two")
    assert two.say(BROADCAST, b"hello, all", one).startswith(b"hello, all")


def test_a_card_that_listens_late_is_connected_and_one_that_never_does_is_an_error(vmrun: Vmrun) -> None:
    """QEMU answers questions a moment before its cards listen, and says nothing of a cable that leads nowhere."""
    vmrun.ok("start", vmrun.machine("one"), "nogui")
    address = vmrun.switch()["qmp"]
    with tempfile.TemporaryDirectory(prefix="vq-", dir="/tmp") as folder:
        late = FakeGuest(Path(folder), 10, "192.168.6.10", listens=False)
        timer = threading.Timer(0.5, late.listen)
        timer.start()
        switch.attach(address, "late", late.plug)
        late.connect()
        timer.join()
        late.cable.close()
        late.listener.close()
        never = FakeGuest(Path(folder), 11, "192.168.6.11", listens=False)
        with pytest.raises(qmp.QmpError, match=r"ethernet0 does not answer at .*guest11"):
            switch.attach(address, "never", never.plug, timeout_s=0.3)
        never.listener.close()
        assert "m-never" not in qmp.human(address, "info network")


def test_frames_cross_between_hubs_that_listen_late_and_a_hub_that_never_does_is_an_error() -> None:
    with tempfile.TemporaryDirectory(prefix="vq-", dir="/tmp") as folder, contextlib.ExitStack() as kept:
        cable, gateway = (Endpoint(str(Path(folder) / name)) for name in ("cable", "gateway"))
        hubs: list[socket.socket] = []
        timer = threading.Timer(0.5, lambda: hubs.extend(kept.enter_context(hub.listen()) for hub in (cable, gateway)))
        timer.start()
        broken = threading.Event()
        gateway_bridge.connect(cable, gateway, broken.set)
        timer.join()
        inner, outer = (kept.enter_context(hub.accept()[0]) for hub in hubs)
        frame = struct.pack(">I", 60) + BROADCAST.ljust(60, b"x")
        inner.sendall(frame)
        assert outer.recv(len(frame)) == frame
        inner.close()
        assert broken.wait(10)
        absent = Endpoint(str(Path(folder) / "absent"))
        with pytest.raises(FileNotFoundError):
            gateway_bridge.connect(absent, gateway, broken.set, timeout_s=0.3)


def test_the_gateway_keeps_out_of_what_guests_say_to_each_other(
    vmrun: Vmrun, guests: list[FakeGuest], tmp_path: Path
) -> None:
    """A gateway that hears it answers TCP with a reset in the name of the neighbour."""
    one, two = guests
    vmrun.ok("startRecord", "vmnet1", str(tmp_path))
    one.say(two.mac, b"the cable is ready", two)
    syn = struct.pack(">HHIIBBHHH", 40000, 22, 1, 0, 5 << 4, 2, 1024, 0, 0)
    for _ in range(3):
        one.send(two.mac, IPV4, ip_packet(one.address, two.address, syn))
        assert two.receive(IPV4)[12:20] == one.address + two.address
    one.who_has("192.168.6.254")
    one.receive(ARP)  # the gateway has seen all that came before
    one.cable.settimeout(1)
    with pytest.raises(TimeoutError):
        one.receive(IPV4)
    (record,) = tmp_path.glob("*.pcap")
    assert two.mac not in record.read_bytes()


def test_the_gateway_is_the_last_address_and_the_first_is_the_labs(guests: list[FakeGuest]) -> None:
    one, _ = guests
    one.who_has("192.168.6.1")
    one.who_has("192.168.6.254")
    answer = one.receive(ARP)
    assert answer[6:8] == b"\x00\x02"
    assert answer[14:18] == socket.inet_aton("192.168.6.254")


def test_a_forwarded_port_asks_for_its_guest(vmrun: Vmrun, guests: list[FakeGuest]) -> None:
    _, two = guests
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    vmrun.ok("setPortForwarding", "vmnet1", "tcp", str(port), "192.168.6.11", "22")
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        question = two.receive(ARP)
    assert question[6:8] == b"\x00\x01"
    assert question[24:28] == two.address
