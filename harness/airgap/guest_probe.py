"""Runs in a guest, as root: tries every way out at once, asks peers and registry, and returns what came back.

It is sent as text and needs Python 3.9 and nothing else. A way counts as open when anything answers on it that the
question was meant for, and as tried unless the guest itself forbids it; how a question failed is told beside it.
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

_AGAIN_S = 2.0


def probe_all(questions: list[Probe]) -> list[dict[str, Any]]:
    """Return one answer per question, in their order; all are asked at once."""
    with concurrent.futures.ThreadPoolExecutor(max(1, len(questions))) as pool:
        return list(pool.map(_answer, questions))


def _answer(question: Probe) -> dict[str, Any]:
    ask = {"tcp": _tcp, "icmp": _icmp, "dns": _dns, "quic": _quic, "ntp": _ntp, "registry": _registry}[question["kind"]]
    limit = time.monotonic() + question["seconds"]
    while True:
        try:
            return {"open": True, "tried": True, "said": ask(question, max(0.1, limit - time.monotonic()))}
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            failed = {"open": False, "tried": not isinstance(error, PermissionError), "said": _told(error)}
        # A neighbour may still boot; a way out that is closed stays closed.
        if not question.get("patient") or time.monotonic() + 1 >= limit:
            return failed
        time.sleep(0.5)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _tcp(question: Probe, seconds: float) -> str:
    with socket.create_connection((question["address"], question["port"]), timeout=seconds) as wire:
        return f"connected from {wire.getsockname()[0]}"


def _datagram(question: Probe, seconds: float, data: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.connect((question["address"], question["port"]))
        return _ask(wire, seconds, lambda: wire.send(data), lambda: wire.recv(2048))


def _ask(wire: socket.socket, seconds: float, send: Callable[[], object], receive: Callable[[], T | None]) -> T:
    """Return what comes back; what goes out may be lost, and is sent again."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        send()
        again = min(limit, time.monotonic() + _AGAIN_S)
        while (left := again - time.monotonic()) > 0:
            wire.settimeout(left)
            try:
                found = receive()
            except socket.timeout:  # noqa: UP041  (before Python 3.10 it is no TimeoutError)
                break
            if found is not None:
                return found
    raise TimeoutError("timed out")


def _dns(question: Probe, seconds: float) -> str:
    name = b"".join(bytes([len(part)]) + part for part in (b"example", b"org")) + b"\0"
    query = os.urandom(2) + b"\x01\0\0\x01\0\0\0\0\0\0" + name + b"\0\x01\0\x01"
    return f"{len(_datagram(question, seconds, query))} bytes"


def _quic(question: Probe, seconds: float) -> str:
    # RFC 9000, 6: a server answers a long header of a version that it does not know with the versions that it knows.
    packet = b"\xc0\x1a\x2a\x3a\x4a\x08" + os.urandom(8) + b"\0"
    return f"{len(_datagram(question, seconds, packet.ljust(1200, bytes(1))))} bytes"


def _ntp(question: Probe, seconds: float) -> str:
    return f"{len(_datagram(question, seconds, bytes([0x23]) + bytes(47)))} bytes"


def _icmp(question: Probe, seconds: float) -> str:
    own = os.urandom(2)
    head = b"\x08\0\0\0" + own + b"\0\x01lab!"
    total = sum(struct.unpack(">6H", head))
    total = (total & 0xFFFF) + (total >> 16)
    packet = head[:2] + struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF) + head[4:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as wire:

        def receive() -> str | None:
            data, (sender, _) = wire.recvfrom(2048)
            body = data[(data[0] & 0x0F) * 4 :]
            mine = sender == question["address"] and body[:1] == b"\0" and body[4:6] == own
            return f"answered by {sender}" if mine else None

        return _ask(wire, seconds, lambda: wire.sendto(packet, (question["address"], 0)), receive)


def _registry(question: Probe, seconds: float) -> str:
    context = ssl.create_default_context(cafile=question["authority"] or None)
    connection = http.client.HTTPSConnection(question["address"], question["port"], timeout=seconds, context=context)
    try:
        _get(connection, "/v2/", "")
        found = {}
        if question["manifest"]:
            manifest = _get(connection, f"/v2/{question['repository']}/manifests/{question['tag']}", question["type"])
            found["manifest"] = _digest(manifest)
            (layer,) = json.loads(manifest)["layers"]
            found["layer"] = _digest(_get(connection, f"/v2/{question['repository']}/blobs/{layer['digest']}", ""))
        return json.dumps(found)
    finally:
        connection.close()


def _get(connection: http.client.HTTPSConnection, path: str, accept: str) -> bytes:
    connection.request("GET", path, headers={"Accept": accept} if accept else {})
    answer = connection.getresponse()
    data = answer.read()
    if answer.status != 200:
        raise ValueError(f"GET {path}: {answer.status} {answer.reason}")
    return data


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
