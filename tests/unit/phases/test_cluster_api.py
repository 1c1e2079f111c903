"""The API asked from the host: only a verified certificate counts."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from harness.cluster.kubeconfig import Credentials
from harness.guest.lab_keys import ensure_registry_certificate
from harness.phases.cluster_api import ask_version

from .fake_k3s import fake_api

ADDRESS = "192.168.6.10"
GOOD = b"HTTP/1.1 200 OK\r\n"


def ask(directory: Path, *, name: str = ADDRESS, authority: Path | None = None, answer: bytes = GOOD) -> str:
    certificate, key = ensure_registry_certificate(directory, ADDRESS)
    known = (authority or directory / "ca" / "ca.crt").read_bytes()
    credentials = Credentials(known, certificate.read_bytes(), key.read_bytes())
    with fake_api(certificate, key, lambda: answer) as port:
        connect = lambda: socket.create_connection(("127.0.0.1", port), timeout=20)  # noqa: E731
        return ask_version(connect, name, credentials, directory)


def test_the_api_answers_by_its_address(tmp_path: Path) -> None:
    assert ask(tmp_path) == "HTTP/1.1 200 OK"
    assert not list(tmp_path.glob(".client-*")), "the key stays nowhere"


def test_a_certificate_of_another_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"192\.168\.6\.99"):
        ask(tmp_path, name="192.168.6.99")


def test_a_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    ensure_registry_certificate(other, ADDRESS)
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(tmp_path, authority=other / "ca" / "ca.crt")


def test_an_api_that_hangs_up_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises((ConnectionError, ssl.SSLError)):
        ask(tmp_path, answer=b"")
