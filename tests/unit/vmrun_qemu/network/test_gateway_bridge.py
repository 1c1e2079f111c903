"""Frames between the VMs' hub and the gateway's hub."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path

import pytest

from harness.vmrun_qemu.base.endpoint import Endpoint
from harness.vmrun_qemu.network import gateway_bridge

GATEWAY, GUEST, BROADCAST = b"\x52\x55\xc0\xa8\x06\xfe", b"\x00\x0c\x29\x00\x00\x01", b"\xff" * 6


@pytest.mark.parametrize(
    ("target", "passes"), [(GATEWAY, True), (BROADCAST, True), (b"\x01\x00\x5e\x00\x00\x01", True), (GUEST, False)]
)
def test_the_gateway_gets_what_is_addressed_to_it_or_to_all(target: bytes, *, passes: bool) -> None:
    assert gateway_bridge.is_for_the_gateway(target + bytes(54)) is passes


def framed(target: bytes, payload: bytes) -> bytes:
    frame = (target + payload).ljust(60, b"\0")
    return struct.pack(">I", len(frame)) + frame


def hub() -> tuple[socket.socket, Endpoint]:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)
    return listener, Endpoint("{}:{}".format(*listener.getsockname()))


def accepted(listener: socket.socket) -> socket.socket:
    side, _ = listener.accept()
    side.settimeout(10)
    return side


def test_frames_cross_by_their_address_until_a_hub_closes() -> None:
    broken = threading.Event()
    (outer, cable), (inner, gateway) = hub(), hub()
    with outer, inner:
        gateway_bridge.connect(cable, gateway, broken.set)
        vms, router = accepted(outer), accepted(inner)
        vms.sendall(framed(GUEST, b"to a neighbour") + framed(GATEWAY, b"to the gateway"))
        assert router.recv(64)[4:].startswith(GATEWAY + b"to the gateway")
        router.sendall(framed(GUEST, b"back"))
        assert vms.recv(64)[4:].startswith(GUEST + b"back")
        assert not broken.is_set()
        vms.close()
        assert broken.wait(10)
        router.close()


def test_a_hub_that_never_listens_is_an_error(tmp_path: Path) -> None:
    cable, gateway = (Endpoint(str(tmp_path / name)) for name in ("cable", "gateway"))
    with pytest.raises(OSError, match=r"."):
        gateway_bridge.connect(cable, gateway, lambda: None, timeout_s=0.1)
