from __future__ import annotations

import base64
import datetime as dt
import http.server
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from needs import posix_modes

from harness.seed import k3s_bootstrap
from harness.seed.k3s_bootstrap import Node

BOOT = "11111111-2222-3333-4444-555555555555"


@dataclass
class Api:
    """What a stand-in of the API server answers."""

    port: int = 0
    status: int = 200
    body: str = "ok"
    node: dict[str, object] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    certificate: bytes = b""
    key: bytes = b""

    def kubeconfig(self, path: Path) -> None:
        """Write the access to it, as k3s does for a server."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            "clusters:\n- cluster:\n"
            f"    certificate-authority-data: {base64.b64encode(self.certificate).decode()}\n"
            f"    server: https://127.0.0.1:{self.port}\n"
            "users:\n- user:\n"
            f"    client-certificate-data: {base64.b64encode(self.certificate).decode()}\n"
            f"    client-key-data: {base64.b64encode(self.key).decode()}\n"
        )


def certificate() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "k3s")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return built.public_bytes(pem), private


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    api = Api()
    api.certificate, api.key = certificate()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            api.asked.append(self.path)
            body = (json.dumps(api.node) if "/nodes/" in self.path else api.body).encode()
            self.send_response(api.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Write nothing."""

    folder = tmp_path_factory.mktemp("api")
    (folder / "crt").write_bytes(api.certificate)
    (folder / "key").write_bytes(api.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "crt", folder / "key")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        api.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield api
        server.shutdown()
        thread.join(10)


@pytest.fixture
def api(running: Api) -> Api:
    running.status, running.body, running.node = 200, "ok", node_state()
    running.asked.clear()
    return running


def node_state(ready: str = "True", boot_id: str = BOOT) -> dict[str, object]:
    condition = {"type": "Ready", "status": ready, "message": "the reason"}
    return {"status": {"nodeInfo": {"bootID": boot_id}, "conditions": [condition]}}


@pytest.fixture
def server(tmp_path: Path, api: Api) -> Node:
    payload = tmp_path / "payload"
    (payload / "k3s").mkdir(parents=True)
    (payload / "images").mkdir()
    (payload / "k3s/k3s").write_bytes(b"#!/bin/sh\n")
    (payload / "images/base.tar").write_bytes(b"images")
    (tmp_path / "root/var/lib").mkdir(parents=True)
    return Node("server", payload, "127.0.0.1", tmp_path / "root", api.port)


def no_unit(_: Node) -> str:
    """Nothing is known of k3s's unit: this host has none."""
    return ""


def bootstrap(node: Node, started: list[str] | None = None, seconds: float = 0.0) -> None:
    units: list[str] = [] if started is None else started
    k3s_bootstrap.bootstrap(node, units.append, time.monotonic() + seconds, BOOT, "k3s-master1", state=no_unit)


def test_the_images_are_there_before_k3s_starts(server: Node, api: Api) -> None:
    api.kubeconfig(server.kubeconfig)
    there: list[str] = []

    def start(unit: str) -> None:
        places = ("usr/local/bin/k3s", "var/lib/rancher/k3s/agent/images/base.tar")
        there.extend([unit, *(place for place in places if (server.root / place).is_file())])

    k3s_bootstrap.bootstrap(server, start, time.monotonic(), BOOT, "k3s-master1", state=no_unit)
    assert there == ["k3s", "usr/local/bin/k3s", "var/lib/rancher/k3s/agent/images/base.tar"]
    assert json.loads(server.marker.read_text())["boot_id"] == BOOT
    assert api.asked == ["/readyz", "/api/v1/nodes/k3s-master1"]


@posix_modes
def test_the_binary_can_be_executed_and_is_not_the_payloads_file(server: Node) -> None:
    k3s_bootstrap.install(server)
    k3s_bootstrap.install(server)  # the next boot
    binary = server.root / "usr/local/bin/k3s"
    assert binary.stat().st_mode & 0o111
    assert not binary.samefile(server.payload / "k3s/k3s")
    assert sorted(path.name for path in binary.parent.iterdir()) == ["k3s"]


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        (500, node_state(), "the API answers 500"),
        (200, node_state("False"), "not Ready: the reason"),
        (200, node_state("Unknown"), "not Ready"),
        (200, node_state(boot_id="another"), "known from another boot"),
        (200, {"kind": "Status"}, "KeyError"),
    ],
)
def test_a_node_that_is_not_ready_has_no_marker(
    server: Node, api: Api, capsys: pytest.CaptureFixture[str], status: int, state: dict[str, object], reason: str
) -> None:
    api.kubeconfig(server.kubeconfig)
    api.status, api.node = status, state
    server.marker.write_text("of an earlier boot")
    with pytest.raises(TimeoutError, match=reason):
        bootstrap(server)
    assert not server.marker.exists()
    assert reason in capsys.readouterr().out


def test_without_k3s_there_is_no_access(server: Node) -> None:
    with pytest.raises(TimeoutError, match="FileNotFoundError"):
        bootstrap(server)


def test_a_worker_waits_for_the_api_of_the_master_before_it_starts(server: Node, api: Api) -> None:
    worker = replace(server, kind="agent")
    api.status = 503
    started: list[str] = []
    with pytest.raises(TimeoutError, match=r"the API of the master: 127\.0\.0\.1:\d+ answers 503"):
        bootstrap(worker, started)
    assert started == []
    api.status = 401
    assert k3s_bootstrap.api_answers(worker) == ""


def test_an_agent_has_to_be_registered_by_this_boot(server: Node, api: Api, tmp_path: Path) -> None:
    worker = replace(server, kind="agent")
    (server.root / "agent").mkdir()
    (server.root / "agent/crt").write_bytes(api.certificate)
    (server.root / "agent/key").write_bytes(api.key)
    worker.kubeconfig.parent.mkdir(parents=True)
    worker.kubeconfig.write_text(
        f"    server: https://127.0.0.1:{api.port}\n    certificate-authority: /agent/crt\n"
        "    client-certificate: /agent/crt\n    client-key: /agent/key\n"
    )
    started: list[str] = []
    api.node = node_state("False")
    bootstrap(worker, started)
    assert started == ["k3s-agent"]
    assert worker.marker.name == "k3s-agent-bootstrap.done"
    assert worker.marker.is_file()
    api.node = node_state(boot_id="another")
    with pytest.raises(TimeoutError, match="another boot"):
        bootstrap(worker)


def test_a_unit_that_crashes_is_in_the_reason(server: Node) -> None:
    def shows(text: str) -> str:
        return k3s_bootstrap.unit_state(server, lambda *_, **__: SimpleNamespace(stdout=text.encode()))

    assert shows("ActiveState=active\nNRestarts=0\n") == ""
    assert shows("NRestarts=4\nActiveState=activating\n") == "; k3s: ActiveState=activating NRestarts=4"


def test_it_is_a_program_of_its_own() -> None:
    """A guest has its text alone."""
    text = Path(k3s_bootstrap.__file__).read_text(encoding="utf-8")
    assert "import harness" not in text
    assert "from harness" not in text
