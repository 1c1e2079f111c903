"""The registry client, against a registry of the test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.airgap.registry_client import Endpoint, push, serves
from harness.airgap.registry_image import digest, tiny_image
from harness.core.errors import HostError
from harness.guest.lab_keys import ensure_registry_certificate

from .conftest import LOCAL, FakeRegistry


@pytest.fixture
def endpoint(registry: int, seeds: Path) -> Endpoint:
    return Endpoint(LOCAL, registry, LOCAL, seeds / "ca/ca.crt", "")


def test_a_push_uploads_both_blobs_by_digest_and_then_the_manifest(endpoint: Endpoint) -> None:
    FakeRegistry.uploads.clear()
    image = tiny_image("text")
    push(endpoint, "lab/probe", "run-2", image)
    assert list(FakeRegistry.uploads.items()) == [
        (f"/upload/1?state=x&digest={digest(image.config)}", image.config),
        (f"/upload/1?state=x&digest={digest(image.layer)}", image.layer),
        ("/v2/lab/probe/manifests/run-2", image.manifest),
    ]


def test_a_rejected_part_is_an_error_with_the_status(endpoint: Endpoint) -> None:
    with pytest.raises(HostError, match="403") as caught:
        push(endpoint, "lab/closed", "run-2", tiny_image("text"))
    assert caught.value.where == f"{LOCAL}:{endpoint.port}"
    assert "registry.log" in caught.value.remedy


def test_a_certificate_of_another_name_is_an_error(registry: int, seeds: Path) -> None:
    wrong = Endpoint(LOCAL, registry, "192.0.2.1", seeds / "ca/ca.crt", "")
    with pytest.raises(HostError, match="certificate verify failed"):
        push(wrong, "lab/probe", "run-2", tiny_image("text"))


def test_a_registry_serves_only_with_exactly_its_certificate(endpoint: Endpoint, seeds: Path) -> None:
    certificate, _ = ensure_registry_certificate(seeds, LOCAL)
    other, _ = ensure_registry_certificate(seeds, "192.0.2.1")
    assert serves(endpoint, certificate)
    assert not serves(endpoint, other)
    assert not serves(endpoint, seeds / "missing.crt")


def test_a_registry_with_a_login_serves_only_if_it_wants_it(
    endpoint: Endpoint, seeds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, _ = ensure_registry_certificate(seeds, LOCAL)
    with_login = replace(endpoint, login="Basic abc")
    assert not serves(with_login, certificate), "it takes requests without a login"
    monkeypatch.setattr(FakeRegistry, "login", "Basic abc")
    assert serves(with_login, certificate)
    assert not serves(replace(endpoint, login="Basic other"), certificate)
    assert not serves(endpoint, certificate)
