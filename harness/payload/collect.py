"""Collect and verify what `payload:` of the lab file names."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.config.model import host_path
from harness.config.payload_spec import FileSpec, PayloadSpec, file_name, is_address
from harness.core.errors import ConfigError
from harness.payload.download import Wanted, cached_file, download, file_digest
from harness.payload.k3s_binary import binary_problem

K3S = "k3s/k3s"  # in the payload: the binary, under the name that it has in the guest
IMAGES = "images"
FILES = "extra"
PACKAGES = "packages"


@dataclass(frozen=True)
class PayloadSource:
    """A file of the payload.

    Attributes:
        path: In the payload, below /files/ of the ISO.
        source: As the lab file has it: a path or an address.
        sha256: As the lab file has it, or None.
        place: Its key in the lab file.
    """

    path: str
    source: str
    sha256: str | None
    place: str

    @property
    def name(self) -> str:
        """Last part of the source."""
        return file_name(self.source)


@dataclass(frozen=True)
class CollectedFile:
    """A file on this host that goes into the payload."""

    path: str
    file: Path
    size: int
    sha256: str


def payload_sources(payload: PayloadSpec | None) -> tuple[PayloadSource, ...]:
    """Return the files of a payload, in the lab file's order."""
    if payload is None:
        return ()
    found = []
    if payload.k3s is not None:
        found.append(PayloadSource(K3S, payload.k3s.binary, payload.k3s.sha256, "payload.k3s.binary"))
        found += _sources(IMAGES, payload.k3s.images, "payload.k3s.images")
    found += _sources(IMAGES, payload.images, "payload.images")
    found += _sources(FILES, payload.files, "payload.files")
    found += _sources(PACKAGES, payload.packages, "payload.packages")
    return tuple(found)


def _sources(folder: str, files: tuple[FileSpec, ...], place: str) -> list[PayloadSource]:
    return [
        PayloadSource(f"{folder}/{file.name}", file.source, file.sha256, f"{place}.{index}")
        for index, file in enumerate(files)
    ]


def collect_payload(
    payload: PayloadSpec | None,
    lab_file: Path,
    cache: Path,
    say: Callable[[str], None],
    fetch: Callable[[Wanted, Path, Callable[[str], None]], Path] = download,
) -> tuple[CollectedFile, ...]:
    """Return the files of a payload, each of them verified.

    Paths are relative to the directory of the lab file. Nothing is fetched but the addresses that it names.

    Raises:
        ConfigError: A file is missing, is not what it has to be, or has another digest than the lab file names.
        HostError: A download failed.
    """
    base = lab_file.resolve().parent
    found = []
    for source in payload_sources(payload):
        place = f"{lab_file}: {source.place}"
        path = _local(source, base)
        if path is None:
            path = fetch(_wanted(source, place), cache, say)
            digest = str(source.sha256)
        else:
            digest = _verified(path, source, place)
        if source.path == K3S and (problem := binary_problem(path)):
            remedy = "give the k3s binary for x86-64, as its releases have it under the name `k3s`"
            raise ConfigError(f"{path.name} {problem}", where=place, detail=source.source, remedy=remedy)
        found.append(CollectedFile(source.path, path, path.stat().st_size, digest))
    return tuple(found)


def host_file(source: PayloadSource, lab_file: Path, cache: Path) -> Path:
    """Return where a file of the payload lies, or would lie, on this host."""
    local = _local(source, lab_file.resolve().parent)
    return local or cached_file(_wanted(source, source.place), cache)


def _local(source: PayloadSource, base: Path) -> Path | None:
    return None if is_address(source.source) else host_path(source.source, base)


def _wanted(source: PayloadSource, place: str) -> Wanted:
    return Wanted(source.source, str(source.sha256), source.name, place)


def _verified(path: Path, source: PayloadSource, place: str) -> str:
    """Return the digest of a file of this host.

    Raises:
        ConfigError: It is missing, empty, not a file, not readable, or has another digest than it has to.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or not found.st_size:
            raise ConfigError("is empty, or not a file", where=place, detail=str(path), remedy="give a file")
        digest = file_digest(path)
    except OSError as error:
        reason = f"{path}: {error.strerror or error}"
        raise ConfigError(
            "a file of the payload cannot be read",
            where=place,
            detail=reason,
            remedy="correct the path in the lab file",
        ) from error
    if source.sha256 not in (None, digest):
        raise ConfigError(
            f"{path.name} has another content than the lab file says",
            where=place,
            detail=f"{path}\nexpected sha256 {source.sha256}\nfound    sha256 {digest}",
            remedy="copy the file again, or correct the digest in the lab file",
        )
    return digest
