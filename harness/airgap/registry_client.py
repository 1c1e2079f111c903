"""Pushing an image by the registry's HTTP API (OCI Distribution Specification 1.0), with the certificate verified."""

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
    """Where the registry is reached from here, and the name that its certificate has to have."""

    host: str
    port: int
    name: str
    authority: Path


class _Connection(http.client.HTTPSConnection):
    """Connects to one address and expects the certificate of another: the one that the guests will use."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._tls = ssl.create_default_context(cafile=str(endpoint.authority))
        super().__init__(endpoint.name, endpoint.port, timeout=_TIMEOUT_S, context=self._tls)

    def connect(self) -> None:
        """Connect."""
        wire = socket.create_connection((self._endpoint.host, self._endpoint.port), timeout=_TIMEOUT_S)
        try:
            self.sock = self._tls.wrap_socket(wire, server_hostname=self._endpoint.name)
        except BaseException:
            wire.close()
            raise


def serves(endpoint: Endpoint, certificate: Path) -> bool:
    """Return whether a registry answers there with exactly that certificate, and the authority vouches for it."""
    connection = _Connection(endpoint)
    try:
        connection.request("GET", "/v2/")
        answer = connection.getresponse()
        answer.read()
        wire = connection.sock
        shown = wire.getpeercert(binary_form=True) if isinstance(wire, ssl.SSLSocket) else None
        ours = ssl.PEM_cert_to_DER_cert(certificate.read_text(encoding="ascii"))
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
    return answer.status == http.HTTPStatus.OK and shown == ours


def push(endpoint: Endpoint, repository: str, tag: str, image: Image) -> None:
    """Have the image in the registry.

    Raises:
        HostError: It cannot be reached, its certificate is wrong, or it refuses a part.
    """
    connection = _Connection(endpoint)
    try:
        for blob in (image.config, image.layer):
            _push_blob(connection, repository, blob)
        _ask(connection, "PUT", f"/v2/{repository}/manifests/{tag}", image.manifest, MANIFEST_TYPE)
    except (OSError, http.client.HTTPException, ssl.SSLError) as error:
        raise HostError(
            f"the image cannot be pushed: {error}",
            where=f"{endpoint.host}:{endpoint.port}",
            remedy="read registry.log in the directory of the run that started it",
        ) from error
    finally:
        connection.close()


def _push_blob(connection: http.client.HTTPConnection, repository: str, blob: bytes) -> None:
    place = _ask(connection, "POST", f"/v2/{repository}/blobs/uploads/", b"", "")
    parts = urlsplit(urljoin("/", place))
    query = f"{parts.query}&" if parts.query else ""
    _ask(connection, "PUT", f"{parts.path}?{query}digest={digest(blob)}", blob, "application/octet-stream")


def _ask(connection: http.client.HTTPConnection, method: str, path: str, body: bytes, kind: str) -> str:
    """Return where the answer says that it goes on."""
    connection.request(method, path, body, {"Content-Type": kind} if kind else {})
    answer = connection.getresponse()
    said = answer.read().decode("utf-8", errors="replace")
    if answer.status not in (201, 202):
        raise http.client.HTTPException(f"{method} {path}: {answer.status} {answer.reason}: {said[:200]}")
    return answer.getheader("Location") or ""
