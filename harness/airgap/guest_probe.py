"""Program for a guest: run all probes at once, as root.

It is sent as text and needs only Python 3.9. A probe is `open` if its target answers it, and `tried` unless the
guest's own kernel forbids it; `detail` is the answer or the error.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import http.client
import json
import os
import socket
import ssl
import struct
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Probe = dict[str, Any]

_RESEND_S = 2.0


def _tcp(probe: Probe, seconds: float) -> str:
    with socket.create_connection((probe["address"], probe["port"]), timeout=seconds) as wire:
        return f"connected from {wire.getsockname()[0]}"


def _datagram(probe: Probe, seconds: float, data: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.connect((probe["address"], probe["port"]))
        resend_s = probe.get("resend_s", _RESEND_S)
        return _exchange(wire, seconds, lambda: wire.send(data), lambda: wire.recv(2048), resend_s)


def _exchange(
    wire: socket.socket,
    seconds: float,
    send: Callable[[], object],
    receive: Callable[[], T | None],
    resend_s: float = _RESEND_S,
) -> T:
    """Send until a reply arrives (a datagram may be lost); return it."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        send()
        resend_at = min(limit, time.monotonic() + resend_s)
        while (left := resend_at - time.monotonic()) > 0:
            wire.settimeout(left)
            try:
                found = receive()
            except socket.timeout:  # noqa: UP041  (before Python 3.10 it is not a TimeoutError)
                break
            if found is not None:
                return found
    raise TimeoutError("timed out")


def _dns(probe: Probe, seconds: float) -> str:
    name = b"".join(bytes([len(part)]) + part for part in (b"example", b"org")) + b"\0"
    query = os.urandom(2) + b"\x01\0\0\x01\0\0\0\0\0\0" + name + b"\0\x01\0\x01"
    return f"{len(_datagram(probe, seconds, query))} bytes"


def _quic(probe: Probe, seconds: float) -> str:
    # RFC 9000, 6: a server replies to a long header of an unknown version with the versions that it supports.
    packet = b"\xc0\x1a\x2a\x3a\x4a\x08" + os.urandom(8) + b"\0"
    return f"{len(_datagram(probe, seconds, packet.ljust(1200, bytes(1))))} bytes"


def _ntp(probe: Probe, seconds: float) -> str:
    return f"{len(_datagram(probe, seconds, bytes([0x23]) + bytes(47)))} bytes"


def _icmp(probe: Probe, seconds: float) -> str:
    own = os.urandom(2)
    head = b"\x08\0\0\0" + own + b"\0\x01lab!"
    total = sum(struct.unpack(">6H", head))
    total = (total & 0xFFFF) + (total >> 16)
    packet = head[:2] + struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF) + head[4:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as wire:

        def receive() -> str | None:
            data, (sender, _) = wire.recvfrom(2048)
            body = data[(data[0] & 0x0F) * 4 :]
            mine = sender == probe["address"] and body[:1] == b"\0" and body[4:6] == own
            return f"answered by {sender}" if mine else None

        return _exchange(wire, seconds, lambda: wire.sendto(packet, (probe["address"], 0)), receive)


def _registry(probe: Probe, seconds: float) -> str:
    context = ssl.create_default_context(cafile=probe["authority"] or None)
    connection = http.client.HTTPSConnection(probe["address"], probe["port"], timeout=seconds, context=context)
    try:
        _get(connection, "/v2/", "")
        found = {}
        if probe["manifest"]:
            manifest = _get(connection, f"/v2/{probe['repository']}/manifests/{probe['tag']}", probe["type"])
            found["manifest"] = _digest(manifest)
            (layer,) = json.loads(manifest)["layers"]
            found["layer"] = _digest(_get(connection, f"/v2/{probe['repository']}/blobs/{layer['digest']}", ""))
        return json.dumps(found)
    finally:
        connection.close()


def _get(connection: http.client.HTTPSConnection, path: str, accept: str) -> bytes:
    connection.request("GET", path, headers={"Accept": accept} if accept else {})
    response = connection.getresponse()
    data = response.read()
    if response.status != 200:
        raise ValueError(f"GET {path}: {response.status} {response.reason}")
    return data


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


KINDS: dict[str, Callable[[Probe, float], str]] = {
    "tcp": _tcp,
    "icmp": _icmp,
    "dns": _dns,
    "quic": _quic,
    "ntp": _ntp,
    "registry": _registry,
}


def probe_all(probes: list[Probe], kinds: dict[str, Callable[[Probe, float], str]] = KINDS) -> list[dict[str, Any]]:
    """Run all probes at once and return their results in order."""
    with concurrent.futures.ThreadPoolExecutor(max(1, len(probes))) as pool:
        return list(pool.map(lambda probe: _run(probe, kinds[probe["kind"]]), probes))


def _run(probe: Probe, send: Callable[[Probe, float], str]) -> dict[str, Any]:
    limit = time.monotonic() + probe["timeout_s"]
    while True:
        try:
            return {"open": True, "tried": True, "detail": send(probe, max(0.1, limit - time.monotonic()))}
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            failed = {
                "open": False,
                "tried": not isinstance(error, PermissionError),
                "detail": f"{type(error).__name__}: {error}",
            }
        # A peer may still boot; a closed way out stays closed.
        if not probe.get("retry") or time.monotonic() + 1 >= limit:
            return failed
        time.sleep(0.5)
