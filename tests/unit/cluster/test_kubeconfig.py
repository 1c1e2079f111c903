"""The kubeconfig for the host, and the time of its certificates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cluster_samples import certificate
from kubeconfig_sample import KEY, TEXT, encoded

from harness.cluster.kubeconfig import credentials_of, validity_troubles, with_server

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_the_real_address_replaces_the_loopback_and_the_authority_stays() -> None:
    text = with_server(TEXT, "192.168.6.10", "airgap-lab")
    assert "server: https://192.168.6.10:6443\n" in text
    assert f"certificate-authority-data: {encoded('CA')}\n" in text
    assert "insecure" not in text
    assert "default" not in text
    assert text.count("airgap-lab") == 6


def test_behind_a_tunnel_the_certificate_still_has_to_name_the_real_address() -> None:
    text = with_server(TEXT, "192.168.6.10", "airgap-lab", tunnel_port=7443)
    assert "    server: https://127.0.0.1:7443\n    tls-server-name: 192.168.6.10\n" in text


def test_a_text_without_a_server_is_refused() -> None:
    with pytest.raises(ValueError, match="names no server"):
        with_server("", "192.168.6.10", "lab")


def test_the_credentials_are_read() -> None:
    found = credentials_of(TEXT)
    assert (found.authority, found.certificate, found.key) == (b"CA", b"CERT", KEY.encode())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has no certificate-authority-data"),
        (TEXT.replace("client-key-data", "client-key"), "has no client-key-data"),
        (TEXT.replace(encoded(KEY), "%%%"), "client-key-data of the kubeconfig is not base64"),
    ],
)
def test_a_kubeconfig_without_its_credentials_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        credentials_of(text)


@pytest.mark.parametrize(
    ("begins", "ends", "trouble"),
    [
        (-1, 365, ""),
        (-1, 31, ""),
        (-1, 29, "CN=k3s ends on 2026-06-30"),
        (-400, -35, "CN=k3s ends on 2026-04-27"),
        (1, 365, "CN=k3s is not valid before 2026-06-02 00:00 UTC"),
    ],
)
def test_a_certificate_has_to_be_valid_now_and_for_thirty_days(begins: int, ends: int, trouble: str) -> None:
    pem = certificate(NOW + timedelta(days=begins), NOW + timedelta(days=ends))
    found = validity_troubles([b"text\n" + pem + pem], NOW)
    assert found == ([trouble] if trouble else [])


def test_what_is_no_certificate_is_said() -> None:
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
    (trouble,) = validity_troubles([broken], NOW)
    assert trouble.startswith("a certificate cannot be read")
    assert validity_troubles([b""], NOW) == []
