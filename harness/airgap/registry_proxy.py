"""Read-only proxy of the lab's registry.

Guests, and other users of this host, may pull and nothing else.

A program of its own: `python registry_proxy.py SETTINGS`, a JSON file. The registry wants a login for every request;
the proxy adds it to the GET and HEAD requests that it passes on. It imports nothing of this project, to start quickly.
"""

from __future__ import annotations

import base64
import http.client
import http.server
import json
import socket
import ssl
import sys
import threading
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
USER = "lab"
_IDLE_S = 60.0
_CONNECTIONS = 64
_CHUNK_BYTES = 1 << 16
_ASKED = ("Accept", "If-None-Match", "Range")
_ANSWERED = ("Content-Length", "Content-Range", "Content-Type", "Docker-Content-Digest", "ETag", "Link")


class _Upstream(http.client.HTTPSConnection):
    """Connection to the registry, whose certificate names the guests' address."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._port = int(settings["registry_port"])
        self._tls = ssl.create_default_context(cafile=settings["authority"])
        super().__init__(settings["name"], self._port, timeout=_IDLE_S, context=self._tls)

    def connect(self) -> None:
        """Connect to the loopback."""
        wire = socket.create_connection((LOOPBACK, self._port), timeout=_IDLE_S)
        self.sock = self._tls.wrap_socket(wire, server_hostname=self.host)


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection of a client.

    Every method but GET and HEAD is answered with 501.
    """

    protocol_version = "HTTP/1.1"
    server_version = "lab-registry"
    sys_version = ""
    timeout = _IDLE_S
    server: Proxy

    def setup(self) -> None:
        """Begin TLS, in this connection's own thread."""
        self.request.settimeout(_IDLE_S)
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self._upstream = _Upstream(self.server.settings)
        super().setup()

    def finish(self) -> None:
        """End both connections."""
        self._upstream.close()
        super().finish()
        self.request.close()

    def do_GET(self) -> None:
        """Pass a request on, and its answer back."""
        if not self.path.startswith("/v2/"):
            self.send_error(http.HTTPStatus.NOT_FOUND)
            return
        headers = {name: value for name in _ASKED if (value := ", ".join(self.headers.get_all(name, [])))}
        try:
            self._upstream.request(self.command, self.path, headers={**headers, **self.server.login})
            answer = self._upstream.getresponse()
        except (OSError, http.client.HTTPException):
            self._upstream.close()
            self.send_error(http.HTTPStatus.BAD_GATEWAY)
            return
        self._answer(answer)

    def do_HEAD(self) -> None:
        """Pass a request on, and the head of its answer back."""
        self.do_GET()

    def _answer(self, answer: http.client.HTTPResponse) -> None:
        self.send_response_only(answer.status)
        for name in _ANSWERED:
            if value := answer.getheader(name):
                self.send_header(name, value)
        if answer.getheader("Content-Length") is None:
            self.send_header("Connection", "close")  # the end of the connection is the end of the answer
        self.end_headers()
        while data := answer.read(_CHUNK_BYTES):
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Write nothing: clients must not fill this host's disk."""


class Proxy(http.server.ThreadingHTTPServer):
    """The listening socket; a limited number of connections at a time."""

    daemon_threads = True

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.tls.load_cert_chain(settings["certificate"], settings["key"])
        password = Path(settings["password"]).read_text(encoding="ascii").strip()
        self.login = {"Authorization": "Basic " + base64.b64encode(f"{USER}:{password}".encode()).decode()}
        self._free = threading.BoundedSemaphore(_CONNECTIONS)
        super().__init__((LOOPBACK, int(settings["port"])), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, or close it where there are too many."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, *_: object) -> None:
        """Write nothing: a client that breaks off is no error."""


def main(settings: Path) -> int:
    """Serve until this process ends."""
    try:
        proxy = Proxy(json.loads(settings.read_text(encoding="utf-8")))
    except OSError as error:
        sys.stdout.write(f'level=fatal msg="{error}"\n')
        return 1
    sys.stdout.write(f"listening on {LOOPBACK}:{proxy.server_address[1]}, tls\n")
    sys.stdout.flush()
    proxy.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
