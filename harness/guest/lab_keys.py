"""Key material of the lab: login key, host keys, certificate authority."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import NameOID

from harness.core.errors import SeedError
from harness.core.private import make_private_directory
from harness.core.secret import Secret
from harness.system.ports import LOOPBACK
from harness.system.windows.acl import keep_private

_VALIDITY = dt.timedelta(days=3650)
# Guests whose clock is a day behind the host's must still accept the certificates.
_BACKDATED = dt.timedelta(days=2)
_HALVES = "put the matching half beside it, or move it away; then run `lab seed` again"


@dataclass(frozen=True)
class LabKeys:
    """Public keys, and the path of the private login key.

    `host_keys` is keyed by machine.
    """

    login_private: Path
    login_public: str
    host_keys: dict[str, HostKey]
    ca_certificate: str


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that only its owner may read (POSIX: 0600.

    Windows: also administrators).
    """
    make_private_directory(path.parent)
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        keep_private(temporary)  # before the file holds any secret
        _write_whole(stream, data)
    temporary.replace(path)


def _write_public(path: Path, text: str) -> None:
    """Write a text file atomically."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as stream:
        _write_whole(stream, text.encode("ascii"))
    temporary.replace(path)


def _write_whole(stream: BinaryIO, data: bytes) -> None:
    stream.write(data)
    stream.flush()
    os.fsync(stream.fileno())  # a power cut leaves no empty file under the final name


def ensure_keys(directory: Path, machines: Iterable[str]) -> LabKeys:
    """Return the key material below `directory`; generate missing keys, keep existing ones.

    Layout: ssh/id_ed25519(.pub), ssh/host_keys/<machine>/ssh_host_ed25519_key(.pub), ca/ca.key, ca/ca.crt.

    Raises:
        SeedError: An existing file is not a key of its kind.
    """
    login = directory / "ssh/id_ed25519"
    public = _ensure_ssh_key(login, "lab")
    host_keys = {}
    for machine in machines:
        path = directory / "ssh/host_keys" / machine / "ssh_host_ed25519_key"
        line = _ensure_ssh_key(path, machine)
        host_keys[machine] = HostKey(Secret(path.read_text(encoding="ascii")), " ".join(line.split()[:2]))
    return LabKeys(login, public, host_keys, _ensure_ca(directory / "ca"))


def _ensure_ssh_key(path: Path, comment: str) -> str:
    """Return the public line of a key pair.

    Generate the pair if there is no private key.

    Raises:
        SeedError: The private key cannot be read, or an existing public key does not belong to it.
    """
    public = path.with_name(f"{path.name}.pub")
    existing = public.read_bytes().decode("utf-8", errors="replace").split() if public.exists() else []
    if path.exists():
        key = _load_ssh_key(path)
    elif existing:
        raise SeedError(f"its private half {path.name} is missing", where=str(public), remedy=_HALVES)
    else:
        key = Ed25519PrivateKey.generate()
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH
        write_private(path, key.private_bytes(encoding, form, serialization.NoEncryption()))
    raw = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    line = f"{raw.decode('ascii')} {comment}"
    if not existing:
        _write_public(public, f"{line}\n")
    elif existing[:2] != line.split()[:2]:
        raise SeedError(f"is not the public half of {path.name} beside it", where=str(public), remedy=_HALVES)
    return line


def _load_ssh_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_ssh_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, OSError) as error:
        raise SeedError(
            f"is not a readable SSH private key: {error}", where=str(path), remedy="delete it and run `lab seed` again"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SeedError("is not an ed25519 key", where=str(path), remedy="delete it and run `lab seed` again")
    return key


def _ensure_ca(directory: Path) -> str:
    """Return the PEM certificate of the lab's authority.

    Generate key and certificate if both are missing.

    Raises:
        SeedError: One exists without the other, or they cannot be read or do not match.
    """
    certificate, private = directory / "ca.crt", directory / "ca.key"
    for half, other in ((certificate, private), (private, certificate)):
        if half.exists() and not other.exists():
            raise SeedError(f"its other half {other.name} is missing", where=str(half), remedy=_HALVES)
    if not certificate.exists():
        _make_ca(certificate, private)
    _load_ca(directory)
    return certificate.read_text(encoding="ascii")


def _make_ca(certificate: Path, private: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "airgap lab CA")])
    built = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(private, _pem(key))
    _write_public(certificate, built.public_bytes(serialization.Encoding.PEM).decode("ascii"))


def ensure_registry_certificate(directory: Path, address: str, names: Iterable[str] = ()) -> tuple[Path, Path]:
    """Return certificate and key of the lab's registry.

    Generate and sign them once.

    The subject alternative names hold the address, and the loopback's, where this host pushes: a client checks there.

    Raises:
        SeedError: The authority's key or certificate is missing or unreadable.
    """
    certificate, private = directory / f"ca/registry-{address}.crt", directory / f"ca/registry-{address}.key"
    _ensure_ca(directory / "ca")
    ca_key, ca = _load_ca(directory / "ca")
    if _is_issued(certificate, private, ca):
        return certificate, private
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(ip)) for ip in {address, LOOPBACK}]
    alternatives += [x509.DNSName(name) for name in names]
    built = (
        _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)]), ca.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.public_key()), critical=False)  # type: ignore[arg-type]  # the CA's key is always an EC key
        .sign(ca_key, hashes.SHA256())
    )
    write_private(private, _pem(key))
    _write_public(certificate, built.public_bytes(serialization.Encoding.PEM).decode("ascii"))
    return certificate, private


def _is_issued(certificate: Path, private: Path, authority: x509.Certificate) -> bool:
    """Return whether key and certificate match and the authority signed the certificate."""
    try:
        built = x509.load_pem_x509_certificate(certificate.read_bytes())
        key = serialization.load_pem_private_key(private.read_bytes(), password=None)
        built.verify_directly_issued_by(authority)
        names = built.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        addresses = {str(ip) for ip in names.get_values_for_type(x509.IPAddress)}
    except (OSError, ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    return key.public_key() == built.public_key() and LOOPBACK in addresses


def _load_ca(directory: Path) -> tuple[CertificateIssuerPrivateKeyTypes, x509.Certificate]:
    try:
        key = serialization.load_pem_private_key((directory / "ca.key").read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate((directory / "ca.crt").read_bytes())
    except (ValueError, TypeError, OSError) as error:
        raise SeedError(
            f"the lab's certificate authority is not readable: {error}",
            where=str(directory),
            remedy="delete the directory and run `lab seed` again",
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SeedError("ca.key is not an EC key", where=str(directory), remedy="delete the directory")
    if key.public_key() != certificate.public_key():
        raise SeedError("ca.key and ca.crt do not match", where=str(directory), remedy=_HALVES)
    return key, certificate


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _VALIDITY)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@dataclass(frozen=True)
class HostKey:
    """SSH host key: OpenSSH private key, and `ssh-ed25519 AAAA…` without comment."""

    private: Secret
    public: str
