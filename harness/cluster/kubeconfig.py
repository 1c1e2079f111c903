"""The kubeconfig of a cluster, and how long its certificates are valid. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

PATH = "/etc/rancher/k3s/k3s.yaml"
API_PORT = 6443
VALID_FOR = timedelta(days=30)
# The certificates that k3s issues, on masters and workers.
CERTIFICATES = "cat /var/lib/rancher/k3s/server/tls/*.crt /var/lib/rancher/k3s/agent/*.crt 2>/dev/null; true"
_SERVER = re.compile(r"^(\s*server:\s*)https://\S+$", re.MULTILINE)
_FIELDS = ("certificate-authority-data", "client-certificate-data", "client-key-data")
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Credentials:
    """What a client needs, as PEM."""

    authority: bytes
    certificate: bytes
    key: bytes


def credentials_of(text: str) -> Credentials:
    """Return the authority, certificate and key of a kubeconfig.

    Raises:
        ValueError: One is missing, or is not base64.
    """
    found = []
    for field in _FIELDS:
        match = re.search(rf"^\s*{field}:\s*(\S+)\s*$", text, re.MULTILINE)
        if match is None:
            raise ValueError(f"the kubeconfig has no {field}")
        try:
            found.append(base64.b64decode(match[1], validate=True))
        except binascii.Error as error:
            raise ValueError(f"{field} of the kubeconfig is not base64: {error}") from error
    return Credentials(*found)


def with_server(text: str, address: str, name: str, tunnel_port: int | None = None) -> str:
    """Return the kubeconfig for use on the host.

    The authority stays, and the certificate has to name the address also behind a tunnel.

    Args:
        text: The kubeconfig of the master.
        address: The master's address.
        name: What cluster, user and context are called.
        tunnel_port: The port of the host's loopback that leads to the API; None where the address can be reached.

    Raises:
        ValueError: It names no server.
    """
    server = rf"\g<1>https://{address}:{API_PORT}"
    if tunnel_port is not None:
        server = rf"\g<1>https://127.0.0.1:{tunnel_port}\n    tls-server-name: {address}"
    changed, count = _SERVER.subn(server, text)
    if not count:
        raise ValueError("the kubeconfig names no server")
    for key in ("name", "cluster", "user", "current-context"):
        changed = re.sub(rf"^([\s-]*{key}:\s*)default\s*$", rf"\g<1>{name}", changed, flags=re.MULTILINE)
    return changed


def validity_troubles(certificates: Iterable[bytes], now: datetime) -> list[str]:
    """Return which certificates are not valid now and for 30 days.

    Args:
        certificates: PEM texts, each of one or several certificates.
        now: The time of the host's clock.
    """
    from cryptography import x509  # noqa: PLC0415 - the collection of tests does not need it

    found: dict[str, None] = {}
    for pem in (match for text in certificates for match in _PEM.findall(text)):
        try:
            one = x509.load_pem_x509_certificate(pem)
        except ValueError as error:
            found[f"a certificate cannot be read: {error}"] = None
            continue
        name = one.subject.rfc4514_string()
        if one.not_valid_before_utc > now:
            found[f"{name} is not valid before {one.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"] = None
        if one.not_valid_after_utc < now + VALID_FOR:
            found[f"{name} ends on {one.not_valid_after_utc:%Y-%m-%d}"] = None
    return list(found)
