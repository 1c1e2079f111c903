"""Types of `payload:` in a lab file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, model_validator

from harness.config.frozen_model import Model

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 in hexadecimal digits")]
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")  # two letters at the least: `C:\…` is a path
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~@%=-]{0,199}")
# What k3s imports from `agent/images`; it ignores other names.
_ARCHIVE = re.compile(r"\.(tar|tar\.gz|tgz|tar\.bz2|tbz|tar\.lz4|tar\.zst|tar\.zstd|tzst)$", re.IGNORECASE)
_WITHOUT_DIGEST = "an address needs its `sha256`: what is downloaded is compared with it before it is used"


def is_address(source: str) -> bool:
    """Return whether a source is an address, not a path."""
    return _SCHEME.match(source) is not None


def file_name(source: str) -> str:
    """Return the last part of a source."""
    path = urlsplit(source).path if is_address(source) else source
    return re.split(r"[\\/]", path)[-1]


def _check_source(source: str, sha256: str | None) -> None:
    """Refuse a source that cannot be fetched or verified.

    Raises:
        ValueError: The text says why, and what to write.
    """
    if is_address(source):
        parts = urlsplit(source)
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            raise ValueError("expected a path, or an address that begins with https:// or http://")
        if parts.username is not None or parts.password is not None:
            raise ValueError("a password has no place in a lab file: download the file, and give its path")
        if sha256 is None:
            raise ValueError(_WITHOUT_DIGEST)
    if not _NAME.fullmatch(file_name(source)):
        text = "the last part names the file in the guest: letters, digits and . _ + ~ @ % = - only; rename the file"
        raise ValueError(text)


class FileSpec(Model):
    """A file of the payload: its path or address, and its digest."""

    source: Annotated[str, Field(min_length=1, description="a path, or an http(s) address")]
    sha256: Annotated[Sha256 | None, Field(description="required for an address; null: a path is taken as it is")] = (
        None
    )

    @property
    def name(self) -> str:
        """Name of the file in the payload."""
        return file_name(self.source)

    @model_validator(mode="after")
    def _valid(self) -> Self:
        _check_source(self.source, self.sha256)
        return self


def _as_mapping(value: object) -> object:
    """Return a text as the mapping that it abbreviates."""
    return {"source": value} if isinstance(value, str) else value


class ArchiveSpec(FileSpec):
    """An archive of container images, as of `docker save`."""

    @model_validator(mode="after")
    def _archive(self) -> Self:
        if not _ARCHIVE.search(self.name):
            raise ValueError("an image archive is named *.tar, *.tar.gz, *.tgz, *.tar.bz2, *.tar.lz4 or *.tar.zst")
        return self


class PackageSpec(FileSpec):
    """A Debian package."""

    @model_validator(mode="after")
    def _package(self) -> Self:
        if not self.name.endswith(".deb"):
            raise ValueError("a package is a file named *.deb")
        return self


File = Annotated[FileSpec, BeforeValidator(_as_mapping, json_schema_input_type=str | FileSpec)]
Archive = Annotated[ArchiveSpec, BeforeValidator(_as_mapping, json_schema_input_type=str | ArchiveSpec)]
Package = Annotated[PackageSpec, BeforeValidator(_as_mapping, json_schema_input_type=str | PackageSpec)]


class K3sSpec(Model):
    """k3s: its binary and the archives of its images."""

    binary: Annotated[str, Field(min_length=1, description="a path, or an http(s) address")]
    sha256: Annotated[Sha256 | None, Field(description="required for an address; null: a path is taken as it is")] = (
        None
    )
    images: Annotated[
        tuple[Archive, ...], Field(description="archives that every node imports before k3s starts for the first time")
    ] = ()
    disable: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+$")], ...],
        Field(description="what the server leaves out"),
    ] = ("traefik", "servicelb", "metrics-server", "local-storage")

    @model_validator(mode="after")
    def _valid(self) -> Self:
        _check_source(self.binary, self.sha256)
        return self


class PayloadSpec(Model):
    """What built seeds bring beside packages of the distribution."""

    k3s: Annotated[K3sSpec | None, Field(description="null: no cluster")] = None
    images: Annotated[tuple[Archive, ...], Field(description="further image archives")] = ()
    files: tuple[File, ...] = ()
    packages: Annotated[tuple[Package, ...], Field(description="further .deb files, installed with the others")] = ()

    @property
    def archives(self) -> tuple[ArchiveSpec, ...]:
        """All image archives: those of k3s first."""
        return (*(self.k3s.images if self.k3s else ()), *self.images)


def sources(payload: PayloadSpec) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the place below `payload` and the text of every source."""
    if payload.k3s is not None:
        yield ("k3s", "binary"), payload.k3s.binary
        yield from _of(("k3s", "images"), payload.k3s.images)
    for key, files in (("images", payload.images), ("files", payload.files), ("packages", payload.packages)):
        yield from _of((key,), files)


def _of(place: tuple[str, ...], files: tuple[FileSpec, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for index, file in enumerate(files):
        yield (*place, index), file.source


def duplicate_names(payload: PayloadSpec) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield place and reason of every name that is used twice.

    Names are compared without case: the directory of a Windows host does so.
    """
    seen: dict[tuple[str, str], str] = {}
    for place, source in sources(payload):
        key = (str(place[-2]) if len(place) > 1 else "", file_name(source).lower())
        if place[-1] != "binary" and key in seen:
            yield place, f"{file_name(source)} is already the name of {seen[key]}; rename one of them"
        seen.setdefault(key, source)
