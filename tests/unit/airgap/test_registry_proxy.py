"""The read-only proxy, in front of a registry of the test."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.airgap.registry_image import MANIFEST_TYPE
from harness.airgap.registry_login import RegistryLogin
from harness.airgap.registry_proxy import Proxy, main
from harness.guest.lab_keys import ensure_registry_certificate

from .conftest import IMAGE, LOCAL, FakeRegistry

MANIFEST = "/v2/lab/probe/manifests/run-1"


def settings(seeds: Path, registry: int, login: RegistryLogin) -> dict[str, object]:
    certificate, key = ensure_registry_certificate(seeds, LOCAL)
    files = {"certificate": certificate, "key": key, "authority": seeds / "ca/ca.crt", "password": login.password_file}
    return {"port": 0, "registry_port": registry, "name": LOCAL, **{name: str(path) for name, path in files.items()}}


@pytest.fixture
def proxy(seeds: Path, registry: int, login: RegistryLogin) -> Iterator[Proxy]:
    """A running proxy of a registry that wants a login."""
    FakeRegistry.uploads.clear()
    server = Proxy(settings(seeds, registry, login))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def client(proxy: Proxy, seeds: Path) -> Iterator[http.client.HTTPSConnection]:
    """A connection to the proxy."""
    context = ssl.create_default_context(cafile=str(seeds / "ca/ca.crt"))
    connection = http.client.HTTPSConnection(LOCAL, proxy.server_address[1], timeout=20, context=context)
    yield connection
    connection.close()


def test_whoever_has_no_login_pulls(client: http.client.HTTPSConnection) -> None:
    for method, body in (("GET", IMAGE.manifest), ("HEAD", b"")):
        client.request(method, MANIFEST, headers={"Accept": MANIFEST_TYPE})
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (200, body)
        assert answer.getheader("Content-Length") == str(len(IMAGE.manifest))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get"])
def test_every_other_method_is_refused_and_not_passed_on(
    client: http.client.HTTPSConnection, login: RegistryLogin, method: str
) -> None:
    client.request(method, MANIFEST, headers={"Authorization": login.header})
    assert client.getresponse().status == 501
    assert FakeRegistry.uploads == {}


def test_a_request_in_the_body_of_another_one_is_not_passed_on(proxy: Proxy, seeds: Path) -> None:
    context = ssl.create_default_context(cafile=str(seeds / "ca/ca.crt"))
    inner = b"PUT /v2/lab/probe/manifests/run-1 HTTP/1.1\r\nContent-Length: 4\r\n\r\nevil"
    head = f"GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: {len(inner)}\r\n\r\n".encode()
    address = (LOCAL, proxy.server_address[1])
    with socket.create_connection(address, 20) as wire, context.wrap_socket(wire, server_hostname=LOCAL) as tls:
        tls.sendall(head + inner)
        reply = b""
        while b" 501 " not in reply:
            more = tls.recv(4096)
            assert more, reply
            reply += more
    assert FakeRegistry.uploads == {}


@pytest.mark.parametrize(("path", "status"), [("/metrics", 404), ("/v2/lab/none/manifests/x", 404)])
def test_what_the_registry_does_not_have_is_not_found(
    client: http.client.HTTPSConnection, path: str, status: int
) -> None:
    client.request("GET", path)
    assert client.getresponse().status == status


def test_a_registry_that_has_ended_is_a_bad_gateway(proxy: Proxy, client: http.client.HTTPSConnection) -> None:
    proxy.settings["registry_port"] = 1
    client.request("GET", "/v2/")
    assert client.getresponse().status == 502


def test_a_port_that_another_program_has_is_the_reason_of_its_end(
    proxy: Proxy, seeds: Path, login: RegistryLogin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({**settings(seeds, 1, login), "port": proxy.server_address[1]}))
    assert main(file) == 1
    assert capsys.readouterr().out.startswith('level=fatal msg="')
