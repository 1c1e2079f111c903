"""Take busybox out of an archive of images, as an image of this run."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.airgap.registry_image import Image, image_of
from harness.core.json_text import parse_json

_LABEL = "airgap-lab.run"
_MOST_BYTES = 64 << 20  # of one layer


@dataclass(frozen=True)
class Busybox:
    """An image with busybox.

    Attributes:
        name: Its name in the archive.
        path: Where busybox is in it.
    """

    name: str
    path: str
    image: Image


def busybox_of(archive: Path, run_id: str) -> Busybox | None:
    """Return the first image of an archive that has busybox, marked with the run.

    The mark gives it a digest of its own: no node has it from an earlier run.

    Returns:
        None if no image has one, or this Python cannot read the archive.
    """
    try:
        with tarfile.open(archive, "r:*") as tar:
            for entry in _entries(tar):
                found = _busybox(tar, entry, run_id)
                if found is not None:
                    return found
    except (OSError, ValueError, KeyError, TypeError, EOFError, tarfile.TarError):
        return None
    return None


def _entries(tar: tarfile.TarFile) -> Iterator[dict[str, Any]]:
    """Yield the entries of `manifest.json` whose name says busybox."""
    for entry in parse_json(_read(tar, "manifest.json")):
        if any("busybox" in name for name in entry["RepoTags"] or ()):
            yield entry


def _busybox(tar: tarfile.TarFile, entry: dict[str, Any], run_id: str) -> Busybox | None:
    layers = tuple(_read(tar, name) for name in entry["Layers"])
    path = next((found for name in entry["Layers"] if (found := _path(tar, name))), "")
    if not path:
        return None
    config = parse_json(_read(tar, entry["Config"]))
    settings = config.setdefault("config", {}) or {}
    settings["Labels"] = {**(settings.get("Labels") or {}), _LABEL: run_id}
    config["config"] = settings
    text = json.dumps(config, separators=(",", ":")).encode("utf-8")
    return Busybox(entry["RepoTags"][0], path, image_of(text, layers))


def _path(tar: tarfile.TarFile, layer: str) -> str:
    """Return where busybox is in a layer; empty if it is not there."""
    content = tar.extractfile(layer)
    if content is None:
        return ""
    with tarfile.open(fileobj=content, mode="r:*") as files:
        names = [one.name for one in files if one.name.rpartition("/")[2] == "busybox" and not one.isdir()]
    return "/" + names[0].removeprefix("./").lstrip("/") if names else ""


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.getmember(name)
    content = tar.extractfile(member)
    if content is None or member.size > _MOST_BYTES:
        raise ValueError(f"{name} cannot be read")
    return content.read()
