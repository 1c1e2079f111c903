"""Program for a guest: fetch pages and resolve names.

It runs on the node, or in the network of a pod. It is sent as text and needs only Python 3.9. Questions repeat until
its time is over: a service that was created a moment ago is not everywhere yet.
"""

from __future__ import annotations

import concurrent.futures
import http.client
import os
import socket
import struct
import time
from pathlib import Path
from typing import Any

Question = dict[str, Any]

_ATTEMPT_S = 5.0


def ask_all(questions: list[Question]) -> list[dict[str, Any]]:
    """Ask everything at once and return the answers in order."""
    with concurrent.futures.ThreadPoolExecutor(max(1, min(16, len(questions)))) as pool:
        return list(pool.map(_ask, questions))


def _ask(question: Question) -> dict[str, Any]:
    send = {"page": _page, "web": _web, "name": _name}[question["kind"]]
    limit = time.monotonic() + question["timeout_s"]
    while True:
        begun = time.monotonic()
        try:
            return {"answered": True, "detail": send(question, max(0.1, min(_ATTEMPT_S, limit - begun)))}
        except (OSError, ValueError, LookupError, struct.error, http.client.HTTPException) as error:
            failed = {"answered": False, "detail": f"{type(error).__name__}: {error}"}
        if time.monotonic() + 1 >= limit:
            return failed
        time.sleep(max(0.0, 1 - (time.monotonic() - begun)))


def _page(question: Question, seconds: float) -> str:
    """Return the body of the page."""
    status, reason, body = _fetch(question, seconds)
    if status != 200:
        raise ValueError(f"GET /: {status} {reason}")
    return body


def _web(question: Question, seconds: float) -> str:
    """Return the status line."""
    status, reason, _ = _fetch(question, seconds)
    return f"HTTP {status} {reason}"


def _fetch(question: Question, seconds: float) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection(question["address"], question["port"], timeout=seconds)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        return response.status, response.reason, response.read(4096).decode("utf-8", "replace").strip()
    finally:
        connection.close()


def _name(question: Question, seconds: float) -> str:
    """Return the addresses of a service, as the pod of POD_PID resolves it."""
    resolver = Path("/proc", os.environ["POD_PID"], "root/etc/resolv.conf")
    lines = [line.split() for line in resolver.read_text(encoding="utf-8").splitlines()]
    servers = [words[1] for words in lines if words[:1] == ["nameserver"]]
    domains = [one for words in lines if words[:1] == ["search"] for one in words[1:] if one.startswith("svc.")]
    name = f"{question['name']}.{domains[0]}"
    query = _query(name)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(seconds)
        wire.connect((servers[0], 53))
        wire.send(query)
        found = _addresses(wire.recv(2048), query)
    if not found:
        raise ValueError(f"{servers[0]} has no address of {name}")
    return ", ".join(found)


def _query(name: str) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return os.urandom(2) + b"\x01\0\0\x01\0\0\0\0\0\0" + labels + b"\0\0\x01\0\x01"


def _addresses(reply: bytes, query: bytes) -> list[str]:
    """Return the addresses in a reply of DNS."""
    if reply[:2] != query[:2] or reply[3] & 0x0F:
        return []
    found, at = [], len(query)
    for _ in range(struct.unpack(">H", reply[6:8])[0]):
        while 0 < reply[at] < 0xC0:
            at += reply[at] + 1
        at += 2 if reply[at] else 1
        kind, _, _, size = struct.unpack(">HHIH", reply[at : at + 10])
        if kind == 1:
            found.append(socket.inet_ntoa(reply[at + 10 : at + 10 + size]))
        at += 10 + size
    return found
