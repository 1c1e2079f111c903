"""Busybox out of an archive, as an image of this run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from archive_samples import BUSYBOX, PAUSE, image_archive

from harness.airgap.archived_image import busybox_of
from harness.airgap.registry_image import digest


def test_the_image_has_the_layers_of_the_archive_and_the_mark_of_the_run(tmp_path: Path) -> None:
    archive = image_archive(tmp_path / "images.tar")
    found = busybox_of(archive, "run-1")
    assert found is not None
    assert (found.name, found.path) == (BUSYBOX, "/bin/busybox")
    manifest = json.loads(found.image.manifest)
    assert manifest["config"]["digest"] == digest(found.image.config)
    assert [one["digest"] for one in manifest["layers"]] == [digest(layer) for layer in found.image.layers]
    assert manifest["layers"][0]["mediaType"].endswith(".tar"), "the layer is not compressed"
    assert json.loads(found.image.config)["config"]["Labels"] == {"airgap-lab.run": "run-1"}
    other = busybox_of(archive, "run-2")
    assert other is not None
    assert other.image.manifest != found.image.manifest, "no node has it from another run"


@pytest.mark.parametrize("inside", ["./bin/busybox", "bin/busybox"])
def test_busybox_is_found_where_it_is(tmp_path: Path, inside: str) -> None:
    found = busybox_of(image_archive(tmp_path / "images.tar", BUSYBOX, inside=inside), "run-1")
    assert found is not None
    assert found.path == "/bin/busybox"


def test_an_archive_without_busybox_has_none(tmp_path: Path) -> None:
    assert busybox_of(image_archive(tmp_path / "a.tar", PAUSE), "run-1") is None
    assert busybox_of(image_archive(tmp_path / "b.tar", BUSYBOX, inside="bin/sh"), "run-1") is None


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x28\xb5\x2f\xfd" + bytes(64)])
def test_a_file_that_cannot_be_read_has_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "images.tar"
    path.write_bytes(content)
    assert busybox_of(path, "run-1") is None
    assert busybox_of(tmp_path / "missing.tar", "run-1") is None


def test_a_damaged_archive_has_none(tmp_path: Path) -> None:
    path = image_archive(tmp_path / "images.tar")
    path.write_bytes(path.read_bytes()[:3000])
    assert busybox_of(path, "run-1") is None
