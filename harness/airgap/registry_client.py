"""Client of a container registry (OCI Distribution Specification 1.0) with verified TLS."""

from __future__ import annotations

import http
import http.client
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from harness.airgap.registry_image import MANIFEST_TYPE, Image, digest
from harness.core.errors import HostError

_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Endpoint:
    """Address of a registry, and the name that its certificate must have.

    `login` is the value of `Authorization`; empty for a registry that wants none.
    """

    host: str
    port: int
    name: str
    authority: Path
    login: str


class _Connection(http.client.HTTPSConnection):
    """Connection to one address that expects the certificate of the guests' address."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._tls = ssl.create_default_context(cafile=str(endpoint.authority))
        super().__init__(endpoint.name, endpoint.port, timeout=_TIMEOUT_S, context=self._tls)
        self.login = {"Authorization": endpoint.login} if endpoint.login else {}

    def connect(self) -> None:
        """Connect."""
        wire = socket.create_connection((self._endpoint.host, self._endpoint.port), timeout=_TIMEOUT_S)
        try:
            self.sock = self._tls.wrap_socket(wire, server_hostname=self._endpoint.name)
        except BaseException:
            wire.close()
            raise


def serves(endpoint: Endpoint, certificate: Path) -> bool:
    """Return whether a registry answers with exactly that verified certificate.

    One with a login has to refuse requests without it.
    """
    if endpoint.login and _status(endpoint, "", certificate) != http.HTTPStatus.UNAUTHORIZED:
        return False
    return _status(endpoint, endpoint.login, certificate) == http.HTTPStatus.OK


def _status(endpoint: Endpoint, login: str, certificate: Path) -> int | None:
    """Return the status of the registry's answer; None without that certificate."""
    connection = _Connection(endpoint)
    try:
        connection.request("GET", "/v2/", headers={"Authorization": login} if login else {})
        response = connection.getresponse()
        response.read()
        wire = connection.sock
        shown = wire.getpeercert(binary_form=True) if isinstance(wire, ssl.SSLSocket) else None
        ours = ssl.PEM_cert_to_DER_cert(certificate.read_text(encoding="ascii"))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return response.status if shown == ours else None


def push(endpoint: Endpoint, repository: str, tag: str, image: Image) -> None:
    """Push an image to the registry.

    Raises:
        HostError: It cannot be reached, its certificate is wrong, or it rejects a part.
    """
    connection = _Connection(endpoint)
    try:
        for blob in (image.config, *image.layers):
            _push_blob(connection, repository, blob)
        _send(connection, "PUT", f"/v2/{repository}/manifests/{tag}", image.manifest, MANIFEST_TYPE)
    except (OSError, http.client.HTTPException, ssl.SSLError) as error:
        raise HostError(
            f"the image cannot be pushed: {error}",
            where=f"{endpoint.host}:{endpoint.port}",
            remedy="read registry.log in the directory of the run that started the registry",
        ) from error
    finally:
        connection.close()


def _push_blob(connection: _Connection, repository: str, blob: bytes) -> None:
    location = _send(connection, "POST", f"/v2/{repository}/blobs/uploads/", b"", "")
    parts = urlsplit(urljoin("/", location))
    query = f"{parts.query}&" if parts.query else ""
    _send(connection, "PUT", f"{parts.path}?{query}digest={digest(blob)}", blob, "application/octet-stream")


def _send(connection: _Connection, method: str, path: str, body: bytes, kind: str) -> str:
    """Send a request and return the `Location` of the response."""
    connection.request(method, path, body, {**connection.login, **({"Content-Type": kind} if kind else {})})
    response = connection.getresponse()
    text = response.read().decode("utf-8", errors="replace")
    if response.status not in (201, 202):
        raise http.client.HTTPException(f"{method} {path}: {response.status} {response.reason}: {text[:200]}")
    return response.getheader("Location") or ""
