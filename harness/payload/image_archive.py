"""Names of the container images in an archive, without unpacking it."""

from __future__ import annotations

import importlib
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from harness.core.json_text import parse_json

_INDEXES = ("manifest.json", "index.json")  # of `docker save`, and of an OCI layout
_NAMES_OF_OCI = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_LARGEST_INDEX = 16 << 20
_ZSTD = b"\x28\xb5\x2f\xfd"
_LZ4 = b"\x04\x22\x4d\x18"


class ArchiveError(ValueError):
    """The file is not an archive of images, or it is damaged."""


def image_names(archive: Path) -> tuple[str, ...] | None:
    """Return the full names of the images in an archive, sorted.

    A name has its registry, as containerd shows it: `busybox:1` is `docker.io/library/busybox:1`.

    Returns:
        None if they are not known: this Python cannot read the compression (lz4; zstd without a library).

    Raises:
        ArchiveError: It is not an archive of images, or it is damaged.
        OSError: It cannot be read.
    """
    with ExitStack() as stack:
        stream = _tar_stream(archive, stack)
        if stream is None:
            return None
        try:
            indexes = _read_indexes(stream)
        except _damage() as error:
            raise ArchiveError(f"cannot be read as an archive: {error}") from error
    if not indexes:
        raise ArchiveError("has neither manifest.json nor index.json: it is not an archive of container images")
    return tuple(sorted({full_name(name) for index in indexes for name in _names(index)}))


def full_name(name: str) -> str:
    """Return the name of an image with its registry, and a tag."""
    head, slash, _ = name.partition("/")
    if not slash or not ("." in head or ":" in head or head == "localhost"):
        name = f"docker.io/{name}" if slash else f"docker.io/library/{name}"
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"


def _tar_stream(archive: Path, stack: ExitStack) -> IO[bytes] | None:
    """Return the archive as a stream for `tarfile`; None without a library."""
    stream: IO[bytes] = stack.enter_context(archive.open("rb"))
    magic = stream.read(4)
    stream.seek(0)
    if magic == _LZ4:
        return None
    if magic != _ZSTD:
        return stream
    library = _zstd_library()
    return None if library is None else stack.enter_context(library.open(archive, "rb"))


def _zstd_library() -> Any:
    """Return a module that opens zstd files, or None.

    It is Python's own since 3.14, or that of the extra `zstd`.
    """
    for name in ("compression.zstd", "zstandard"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def _damage() -> tuple[type[Exception], ...]:
    """Return what reading a damaged archive ends in."""
    library = _zstd_library()
    found: list[type[Exception]] = [tarfile.TarError, EOFError, ValueError, RecursionError, OSError]
    return (*found, library.ZstdError) if library else tuple(found)


def _read_indexes(stream: IO[bytes]) -> list[Any]:
    found = []
    with tarfile.open(fileobj=stream, mode="r|*") as tar:
        for member in tar:
            if member.isfile() and member.name.removeprefix("./") in _INDEXES and member.size <= _LARGEST_INDEX:
                content = tar.extractfile(member)
                found.append(parse_json(content.read()) if content else None)
    return found


def _names(index: Any) -> Iterator[str]:
    """Yield the names in a `manifest.json` or an `index.json`."""
    if isinstance(index, list):
        for entry in index:
            tags = entry.get("RepoTags") if isinstance(entry, dict) else None
            yield from (tag for tag in tags or () if isinstance(tag, str))
        return
    manifests = index.get("manifests") if isinstance(index, dict) else None
    for entry in manifests if isinstance(manifests, list) else ():
        annotations = entry.get("annotations") if isinstance(entry, dict) else None
        values = [annotations.get(key) for key in _NAMES_OF_OCI] if isinstance(annotations, dict) else []
        # Without a registry or repository it is a tag alone.
        yield from (value for value in values[:1] if isinstance(value, str))
        if not values[:1] or not isinstance(values[0], str):
            yield from (value for value in values[1:] if isinstance(value, str) and "/" in value)
