from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from harness.airgap.probes import Pull
from harness.airgap.registry_image import MANIFEST_TYPE, digest, tiny_image
from harness.airgap.registry_login import RegistryLogin, ensure_login
from harness.guest.lab_keys import ensure_keys, ensure_registry_certificate

LOCAL = "127.0.0.1"
IMAGE = tiny_image("airgap-lab run-1\n")
PULL = Pull("lab/probe", "run-1", digest(IMAGE.manifest), digest(IMAGE.layer))


class FakeRegistry(http.server.BaseHTTPRequestHandler):
    """A container registry with a good image and one with a damaged layer.

    It accepts uploads, keeps them, and rejects those to the repository `closed`. With `login` it wants that for all.
    """

    protocol_version = "HTTP/1.1"
    uploads: ClassVar[dict[str, bytes]] = {}
    login: ClassVar[str] = ""

    def do_GET(self) -> None:
        if self.login and self.headers["Authorization"] != self.login:
            self._reply(401, "")
            return
        layer = json.loads(IMAGE.manifest)["layers"][0]["digest"]
        parts = {
            "/v2/": b"{}",
            "/v2/lab/probe/manifests/run-1": IMAGE.manifest,
            f"/v2/lab/probe/blobs/{layer}": IMAGE.layer,
            "/v2/lab/damaged/manifests/run-1": IMAGE.manifest,
            f"/v2/lab/damaged/blobs/{layer}": b"other bytes",
        }
        # Without it a registry may answer with another form.
        manifest_asked_for = self.headers["Accept"] == MANIFEST_TYPE
        body = parts.get(self.path) if manifest_asked_for or "/manifests/" not in self.path else None
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body or b"")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self._reply(202, "/upload/1?state=x")

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "/closed/" in self.path:
            self._reply(403, "")
            return
        self.uploads[self.path] = body
        self._reply(201, self.path)

    def _reply(self, status: int, location: str) -> None:
        self.rfile.read(0)
        self.send_response(status)
        self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seed directory with the lab's keys."""
    directory = tmp_path_factory.mktemp("seeds")
    ensure_keys(directory, ["m"])
    return directory


@pytest.fixture
def login(seeds: Path, monkeypatch: pytest.MonkeyPatch) -> RegistryLogin:
    """The lab's login, which the `FakeRegistry` wants."""
    found = ensure_login(seeds)
    monkeypatch.setattr(FakeRegistry, "login", found.header)
    return found


@pytest.fixture
def registry(seeds: Path) -> Iterator[int]:
    """The port of a running `FakeRegistry`."""
    certificate, key = ensure_registry_certificate(seeds, LOCAL)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    everywhere = ""  # every address of the loopback leads here, and the certificate names one
    server = http.server.ThreadingHTTPServer((everywhere, 0), FakeRegistry)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join(5)
