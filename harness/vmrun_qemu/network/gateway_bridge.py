"""Forward to the gateway only the frames addressed to it.

QEMU's hub repeats every frame to every port, and its user network takes every IP packet for one that is to leave the
network, whatever card it is addressed to: on a closed network it answers a guest's TCP to a neighbour with a reset in
the neighbour's name. So the gateway has a hub of its own, and this module forwards frames between the two hubs.

A frame has the form of QEMU's `-netdev stream`: its length as 32 bits, big-endian, and its bytes.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from typing import IO

from harness.vmrun_qemu.base.endpoint import Endpoint
from harness.vmrun_qemu.base.wait import wait_for

_CONNECT_S = 10.0
_LENGTH = struct.Struct(">I")
# The gateway's cards: one for each address at which it answers, these two octets and the address (libslirp, slirp.c,
# special_ethaddr).
_GATEWAY_CARD = b"\x52\x55"


def is_for_the_gateway(frame: bytes) -> bool:
    """Return whether a frame is for the gateway, broadcast or multicast."""
    return frame[:2] == _GATEWAY_CARD or bool(frame[0] & 1)


def connect(cable: Endpoint, gateway: Endpoint, broken: Callable[[], object], *, timeout_s: float = _CONNECT_S) -> None:
    """Start to forward frames between the two hubs.

    `broken` is called when either side closes its connection; `timeout_s` limits the wait for a hub.

    Raises:
        OSError: A hub does not listen.
    """
    sides = [_connected(hub, timeout_s) for hub in (cable, gateway)]
    ways = ((sides[0], sides[1], is_for_the_gateway), (sides[1], sides[0], lambda _: True))
    for source, target, passes in ways:
        threading.Thread(target=_carry, args=(source, target, passes, broken), daemon=True).start()


def _connected(hub: Endpoint, timeout_s: float) -> socket.socket:
    """Connect to a hub.

    QEMU may answer QMP a moment before the hub listens.

    Raises:
        OSError: It does not listen.
    """

    def attempt() -> socket.socket | None:
        try:
            return hub.connect(timeout_s)
        except OSError:
            return None

    side = wait_for(attempt, timeout_s) or hub.connect(timeout_s)
    side.settimeout(None)
    return side


def _carry(
    source: socket.socket, target: socket.socket, passes: Callable[[bytes], bool], broken: Callable[[], object]
) -> None:
    try:
        with source.makefile("rb") as stream:
            while frame := _next(stream):
                if passes(frame):
                    target.sendall(_LENGTH.pack(len(frame)) + frame)
    except OSError:
        pass  # the other side closed the connection
    finally:
        source.close()
        target.close()
        broken()


def _next(stream: IO[bytes]) -> bytes:
    """Return the next frame; empty at the end of the stream."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return b""
    return stream.read(_LENGTH.unpack(head)[0])
