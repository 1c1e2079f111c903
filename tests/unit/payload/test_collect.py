from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.config.payload_spec import PayloadSpec
from harness.core.errors import ConfigError
from harness.payload.collect import collect_payload, payload_sources
from harness.payload.download import Wanted, cached_file

BINARY = b"#!/bin/sh\n"
SHA = hashlib.sha256(BINARY).hexdigest()


def spec(**keys: object) -> PayloadSpec:
    return PayloadSpec.model_validate({"k3s": None, **keys}, strict=False)


def nothing(_: str) -> None:
    """Say nothing."""


def test_files_of_this_host_are_found_relative_to_the_lab_file(tmp_path: Path) -> None:
    for name, content in (("k3s-v1", BINARY), ("base.tar", b"tar"), ("more.tar", b"more"), ("motd", b"hello")):
        (tmp_path / name).write_bytes(content)
    payload = spec(
        k3s={"binary": "k3s-v1", "sha256": SHA, "images": ["base.tar"]},
        images=[str(tmp_path / "more.tar")],
        files=["motd"],
    )
    found = collect_payload(payload, tmp_path / "lab.yaml", tmp_path / "cache", nothing)
    assert [(one.path, one.size) for one in found] == [
        ("k3s/k3s", len(BINARY)),
        ("images/base.tar", 3),
        ("images/more.tar", 4),
        ("extra/motd", 5),
    ]
    assert found[0].sha256 == SHA
    assert found[0].file == tmp_path / "k3s-v1"
    assert not (tmp_path / "cache").exists()


def test_only_addresses_are_fetched(tmp_path: Path) -> None:
    asked: list[Wanted] = []

    def fetch(wanted: Wanted, cache: Path, say: Callable[[str], None]) -> Path:
        asked.append(wanted)
        path = cached_file(wanted, cache)
        path.parent.mkdir(parents=True)
        path.write_bytes(BINARY)
        return path

    (tmp_path / "motd").write_bytes(b"hello")
    payload = spec(k3s={"binary": "https://files.example/v1/k3s?raw=1", "sha256": SHA}, files=["motd"])
    (k3s, _) = collect_payload(payload, tmp_path / "lab.yaml", tmp_path, nothing, fetch)
    assert [(one.address, one.name, one.sha256) for one in asked] == [
        ("https://files.example/v1/k3s?raw=1", "k3s", SHA)
    ]
    assert asked[0].place == f"{tmp_path / 'lab.yaml'}: payload.k3s.binary"
    assert (k3s.path, k3s.sha256) == ("k3s/k3s", SHA)
    assert k3s.file.stat().st_size == len(BINARY)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"files": ["missing"]}, "lab.yaml: payload.files.0: a file of the payload cannot be read"),
        ({"files": ["empty"]}, "payload.files.0: is empty, or not a file"),
        ({"files": ["folder"]}, "payload.files.0: is empty, or not a file"),
        ({"files": [{"source": "page", "sha256": SHA}]}, "page has another content than the lab file says"),
        ({"k3s": {"binary": "page"}}, "payload.k3s.binary: page is no program of Linux"),
    ],
)
def test_what_cannot_be_used_is_an_error_at_its_key(tmp_path: Path, keys: dict[str, object], message: str) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "page").write_bytes(b"<html>")
    with pytest.raises(ConfigError) as caught:
        collect_payload(spec(**keys), tmp_path / "lab.yaml", tmp_path / "cache", nothing)
    assert message in str(caught.value)
    assert "remedy:" in str(caught.value)


def test_without_a_payload_there_is_nothing() -> None:
    assert payload_sources(None) == ()
    assert collect_payload(None, Path("lab.yaml"), Path("cache"), nothing) == ()
