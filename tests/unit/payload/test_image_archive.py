from __future__ import annotations

import io
import json
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from harness.payload.image_archive import ArchiveError, full_name, image_names

DOCKER = [{"Config": "a.json", "RepoTags": ["rancher/mirrored-pause:3.6", "busybox"]}, {"RepoTags": None}]
OCI = {
    "manifests": [
        {"annotations": {"io.containerd.image.name": "quay.io/x/y:1", "org.opencontainers.image.ref.name": "1"}},
        {"annotations": {"org.opencontainers.image.ref.name": "z/w:2"}},
        {"annotations": {"org.opencontainers.image.ref.name": "latest"}},
        {"digest": "sha256:0"},
    ]
}


def archive(path: Path, mode: str, **files: object) -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]  # the mode is a parameter here
        for name, content in files.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            info = tarfile.TarInfo(name.replace("_json", ".json"))
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_the_names_of_a_docker_archive(tmp_path: Path, mode: str) -> None:
    path = archive(tmp_path / "images.tar", mode, layer=b"x" * 5000, manifest_json=DOCKER)
    assert image_names(path) == ("docker.io/library/busybox:latest", "docker.io/rancher/mirrored-pause:3.6")


def test_the_names_of_an_oci_archive_and_of_one_that_is_both(tmp_path: Path) -> None:
    oci = archive(tmp_path / "oci.tar", "w", index_json=OCI)
    assert image_names(oci) == ("docker.io/z/w:2", "quay.io/x/y:1")
    both = archive(tmp_path / "both.tar", "w", index_json=OCI, manifest_json=[{"RepoTags": ["quay.io/x/y:1"]}])
    assert image_names(both) == ("docker.io/z/w:2", "quay.io/x/y:1")


@pytest.mark.parametrize(
    "content", [b"", b"<html>not found</html>", b"\x1f\x8b" + bytes(50)], ids=["empty", "page", "damaged"]
)
def test_a_file_that_is_no_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(content)
    with pytest.raises(ArchiveError):
        image_names(path)


def test_an_archive_that_ends_early_or_holds_no_images(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar.gz", "w:gz", layer=bytes(range(256)) * 5000, manifest_json=DOCKER)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(ArchiveError, match="cannot be read"):
        image_names(path)
    with pytest.raises(ArchiveError, match="neither manifest"):
        image_names(archive(tmp_path / "b.tar", "w", readme=b"x"))
    with pytest.raises(ArchiveError, match="cannot be read"):
        image_names(archive(tmp_path / "c.tar", "w", manifest_json=b"{"))


def test_what_this_python_cannot_decompress_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.lz4"
    path.write_bytes(b"\x04\x22\x4d\x18" + bytes(100))
    assert image_names(path) is None


def test_zstd_is_read_by_a_library_if_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = archive(tmp_path / "plain.tar", "w", manifest_json=DOCKER)
    path = tmp_path / "a.tar.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + plain.read_bytes())

    class Library(ModuleType):
        ZstdError = RuntimeError

        @staticmethod
        def open(file: Path, mode: str) -> io.BytesIO:
            return io.BytesIO(file.read_bytes()[4:])

    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    monkeypatch.setitem(sys.modules, "zstandard", Library("zstandard"))
    assert image_names(path) == ("docker.io/library/busybox:latest", "docker.io/rancher/mirrored-pause:3.6")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    assert image_names(path) is None


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("rancher/pause:3.6", "docker.io/rancher/pause:3.6"),
        ("192.168.6.1:5000/a", "192.168.6.1:5000/a:latest"),
        ("localhost/a:1", "localhost/a:1"),
        ("ghcr.io/a/b@sha256:00", "ghcr.io/a/b@sha256:00"),
    ],
)
def test_a_name_has_its_registry(name: str, full: str) -> None:
    assert full_name(name) == full
