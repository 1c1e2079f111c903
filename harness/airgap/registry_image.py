"""The smallest image that proves a pull: one layer with one file.

Pure.

Format: OCI Image Format Specification 1.0 (manifest, config, layer as a gzip-compressed tar archive).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from typing import Any

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
_PLAIN_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class Image:
    """The parts of an image as bytes."""

    manifest: bytes
    config: bytes
    layers: tuple[bytes, ...]

    @property
    def layer(self) -> bytes:
        """The first layer."""
        return self.layers[0]


def digest(data: bytes) -> str:
    """Return the digest of the data: `sha256:…`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tiny_image(text: str) -> Image:
    """Return an image with one file, `/lab`.

    The same text gives the same bytes.
    """
    tar = _tar("lab", text.encode("utf-8"))
    layer = gzip.compress(tar, mtime=0)
    config = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [digest(tar)]},
        }
    )
    return image_of(config, (layer,))


def image_of(config: bytes, layers: tuple[bytes, ...]) -> Image:
    """Return the image of a configuration and its layers, compressed or not."""
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _descriptor(_CONFIG_TYPE, config),
            "layers": [_descriptor(_layer_type(layer), layer) for layer in layers],
        }
    )
    return Image(manifest, config, layers)


def _layer_type(layer: bytes) -> str:
    return _LAYER_TYPE if layer.startswith(b"\x1f\x8b") else _PLAIN_LAYER_TYPE


def _descriptor(kind: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest(data), "size": len(data)}


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("utf-8")


def _tar(name: str, data: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o644
        tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()
