from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path

import paramiko
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from needs import posix_modes

from harness.core.errors import SeedError
from harness.guest.lab_keys import ensure_keys, ensure_registry_certificate, write_private

MACHINES = ("k3s-master1", "k3s-worker1")


def test_keys_are_generated_once(tmp_path: Path) -> None:
    first = ensure_keys(tmp_path, MACHINES)
    again = ensure_keys(tmp_path, MACHINES)
    assert again.login_public == first.login_public
    assert again.ca_certificate == first.ca_certificate
    assert {m: k.public for m, k in again.host_keys.items()} == {m: k.public for m, k in first.host_keys.items()}
    assert [k.private.reveal() for k in again.host_keys.values()] == [
        k.private.reveal() for k in first.host_keys.values()
    ]


def test_each_machine_has_a_host_key_of_its_own_that_the_ssh_library_reads(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path, MACHINES)
    assert len({key.public for key in keys.host_keys.values()}) == 2
    for machine, key in keys.host_keys.items():
        path = tmp_path / "ssh/host_keys" / machine / "ssh_host_ed25519_key"
        read = paramiko.Ed25519Key.from_private_key_file(str(path))
        assert f"{read.get_name()} {read.get_base64()}" == key.public


@posix_modes
def test_private_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        ensure_keys(tmp_path, MACHINES)
        ensure_registry_certificate(tmp_path, "192.168.6.1")
    finally:
        os.umask(old)
    private = [p for p in tmp_path.rglob("*") if p.is_file() and p.suffix not in (".pub", ".crt")]
    assert len(private) == 5
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_a_lost_public_key_is_written_again(tmp_path: Path) -> None:
    first = ensure_keys(tmp_path, ())
    (tmp_path / "ssh/id_ed25519.pub").unlink()
    ensure_keys(tmp_path, ())
    assert (tmp_path / "ssh/id_ed25519.pub").read_text().strip() == first.login_public


def test_a_foreign_public_key_is_not_overwritten(tmp_path: Path) -> None:
    ensure_keys(tmp_path, ())
    public, private = tmp_path / "ssh/id_ed25519.pub", tmp_path / "ssh/id_ed25519"
    theirs = "ssh-ed25519 AAAAtheirs me@home\n"
    public.write_text(theirs)
    with pytest.raises(SeedError, match="is not the public half of id_ed25519"):
        ensure_keys(tmp_path, ())
    private.unlink()
    with pytest.raises(SeedError, match="its private half id_ed25519 is missing"):
        ensure_keys(tmp_path, ())
    assert public.read_text() == theirs
    assert not private.exists()


def test_a_public_key_with_another_comment_stays_as_it_is(tmp_path: Path) -> None:
    line = ensure_keys(tmp_path, ()).login_public
    public = tmp_path / "ssh/id_ed25519.pub"
    public.write_text(line.replace(" lab", " my lab key"))
    assert ensure_keys(tmp_path, ()).login_public == line
    assert public.read_text().endswith(" my lab key")


@pytest.mark.parametrize("kept", ["ca.crt", "ca.key"])
def test_one_half_of_an_authority_is_not_replaced(tmp_path: Path, kept: str) -> None:
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca" / kept).write_text("theirs")
    for ensure in (lambda: ensure_keys(tmp_path, ()), lambda: ensure_registry_certificate(tmp_path, "192.168.6.1")):
        with pytest.raises(SeedError, match="its other half ca") as caught:
            ensure()
        assert caught.value.where == str(tmp_path / "ca" / kept)
    assert [(path.name, path.read_text()) for path in (tmp_path / "ca").iterdir()] == [(kept, "theirs")]


def test_an_authority_that_is_empty_or_of_two_kinds_is_an_error(tmp_path: Path) -> None:
    ensure_keys(tmp_path / "a", ())
    ensure_keys(tmp_path / "b", ())
    certificate = tmp_path / "a/ca/ca.crt"
    certificate.write_bytes((tmp_path / "b/ca/ca.crt").read_bytes())
    with pytest.raises(SeedError, match="do not match"):
        ensure_keys(tmp_path / "a", ())
    certificate.write_bytes(b"")  # as after a power cut
    with pytest.raises(SeedError, match="not readable"):
        ensure_keys(tmp_path / "a", ())


def test_a_registry_certificate_that_the_authority_did_not_sign_is_issued_again(tmp_path: Path) -> None:
    certificate, private = ensure_registry_certificate(tmp_path, "192.168.6.1")

    def issued_again() -> bool:
        before = certificate.read_bytes()
        ensure_registry_certificate(tmp_path, "192.168.6.1")
        ca = x509.load_pem_x509_certificate((tmp_path / "ca/ca.crt").read_bytes())
        x509.load_pem_x509_certificate(certificate.read_bytes()).verify_directly_issued_by(ca)
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, private)
        return certificate.read_bytes() != before

    assert not issued_again()
    for name in ("ca.crt", "ca.key"):
        (tmp_path / "ca" / name).unlink()
    assert issued_again(), "another authority"
    certificate.write_bytes(b"")
    assert issued_again(), "an empty file"
    ensure_registry_certificate(tmp_path, "192.168.6.2")
    private.write_bytes((tmp_path / "ca/registry-192.168.6.2.key").read_bytes())
    assert issued_again(), "another key"


@pytest.mark.parametrize("text", ["", "garbage", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE"])
def test_a_broken_key_is_an_error_and_not_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ssh/id_ed25519"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(SeedError, match="not a readable SSH private key"):
        ensure_keys(tmp_path, ())
    assert path.read_text() == text


def test_a_half_written_key_is_never_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="No space"):
        write_private(tmp_path / "key", b"secret")
    assert not (tmp_path / "key").exists()


def test_the_ca_may_sign_certificates_and_is_valid_for_guests_with_a_late_clock(tmp_path: Path) -> None:
    certificate = x509.load_pem_x509_certificate(ensure_keys(tmp_path, ()).ca_certificate.encode())
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days > 3600


def test_the_registry_certificate_is_signed_by_the_ca_and_carries_the_address(tmp_path: Path) -> None:
    certificate, private = ensure_registry_certificate(tmp_path, "192.168.6.1", ("registry.lab",))
    before = certificate.read_bytes()
    assert (certificate, private) == ensure_registry_certificate(tmp_path, "192.168.6.1", ("registry.lab",))
    assert certificate.read_bytes() == before, "generated once"
    built = x509.load_pem_x509_certificate(certificate.read_bytes())
    ca = x509.load_pem_x509_certificate((tmp_path / "ca/ca.crt").read_bytes())
    built.verify_directly_issued_by(ca)
    names = built.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(address) for address in names.get_values_for_type(x509.IPAddress)} == {"192.168.6.1", "127.0.0.1"}
    assert names.get_values_for_type(x509.DNSName) == ["registry.lab"]
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, private)
    assert isinstance(built.public_key(), ec.EllipticCurvePublicKey)


def test_a_damaged_ca_is_an_error_with_its_place(tmp_path: Path) -> None:
    ensure_keys(tmp_path, ())
    (tmp_path / "ca/ca.key").write_text("garbage")
    with pytest.raises(SeedError, match="certificate authority is not readable"):
        ensure_registry_certificate(tmp_path, "192.168.6.1")
