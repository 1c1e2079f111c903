"""Archives of images, as `docker save` writes them."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

BUSYBOX = "docker.io/library/busybox:lab"
PAUSE = "docker.io/rancher/pause:3.1"


def image_archive(path: Path, *names: str, inside: str = "bin/busybox") -> Path:
    """Write an archive with an image of each name, one file in each; return its path."""
    index = []
    with tarfile.open(path, "w") as tar:
        for number, name in enumerate(names or (PAUSE, BUSYBOX)):
            layer = io.BytesIO()
            with tarfile.open(fileobj=layer, mode="w") as files:
                _add(files, inside, b"\x7fELF")
            _add(tar, f"{number}/layer.tar", layer.getvalue())
            _add(tar, f"{number}.json", json.dumps({"architecture": "amd64", "os": "linux"}).encode())
            index.append({"Config": f"{number}.json", "RepoTags": [name], "Layers": [f"{number}/layer.tar"]})
        _add(tar, "manifest.json", json.dumps(index).encode())
    return path


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
