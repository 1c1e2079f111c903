"""The program that asks from a pod's network."""

from __future__ import annotations

import http.server
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.cluster import pod_probe


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"run-1 w\n")

    def log_message(self, *_: object) -> None:
        pass


class Gone(Page):
    def do_GET(self) -> None:
        self.send_error(503)


@contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join(10)


def ask(kind: str, port: int) -> dict[str, object]:
    (answer,) = pod_probe.ask_all([{"kind": kind, "address": "127.0.0.1", "port": port, "timeout_s": 1}])
    return answer


def test_a_page_is_its_body() -> None:
    with serving(Page) as port:
        assert ask("page", port) == {"answered": True, "detail": "run-1 w"}
        assert ask("web", port) == {"answered": True, "detail": "HTTP 200 OK"}


def test_an_error_page_is_no_page_but_an_answer() -> None:
    with serving(Gone) as port:
        assert ask("page", port)["detail"] == "ValueError: GET /: 503 Service Unavailable"
        assert ask("web", port) == {"answered": True, "detail": "HTTP 503 Service Unavailable"}


def test_a_port_that_is_silent_or_speaks_something_else_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def greet() -> None:
            with server.accept()[0] as peer:
                peer.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        assert ask("page", port)["answered"] is False
        thread.join(10)


QUERY = b"id" + pod_probe._query("probe.x.svc.cluster.local")[2:]


def reply(*addresses: str, code: int = 0, query: bytes = QUERY) -> bytes:
    records = b"".join(
        b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 5, 4) + socket.inet_aton(address) for address in addresses
    )
    return query[:2] + bytes([0x81, 0x80 | code]) + struct.pack(">HHHH", 1, len(addresses), 0, 0) + query[12:] + records


def test_a_reply_of_dns_is_read() -> None:
    assert pod_probe._addresses(reply("10.43.0.1"), QUERY) == ["10.43.0.1"]
    assert pod_probe._addresses(reply("10.42.0.3", "10.42.1.4"), QUERY) == ["10.42.0.3", "10.42.1.4"]


@pytest.mark.parametrize(
    "odd", [reply(code=3), reply(), b"xx" + reply("10.43.0.1")[2:]], ids=["no name", "no address", "another query"]
)
def test_no_such_name_and_a_reply_to_another_query_are_no_address(odd: bytes) -> None:
    assert pod_probe._addresses(odd, QUERY) == []


def test_a_reply_that_is_cut_off_is_an_error() -> None:
    with pytest.raises((struct.error, LookupError)):
        pod_probe._addresses(reply("10.43.0.1")[:-8], QUERY)
