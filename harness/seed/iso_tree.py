"""Files of a seed ISO and the manifest that describes them."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.image.spec import KERNEL_ARGUMENTS
from harness.seed import cloud_config

if TYPE_CHECKING:
    from harness.image.spec import GuestImage
    from harness.seed.model import PayloadFile, SeedSpec

MANIFEST = "files/manifest.json"
MANIFEST_FORMAT = "airgap-lab-seed/1"
# The installer reads the disk's chunks from the CD device; the second file holds the offset of their first byte.
DISK_CHUNKS = "installer/disk.chunks"
DISK_START = "installer/disk.start"
# Settings of the lab file for the installer and the guest's scripts, as shell assignments.
SETTINGS = "installer/settings"
AUTOINSTALL = ("autoinstall/user-data", "autoinstall/meta-data", "autoinstall/network-config")

_ISOLINUX = f"""\
DEFAULT install
PROMPT 0
TIMEOUT 0
LABEL install
  KERNEL /installer/vmlinuz
  INITRD /installer/initrd.img
  APPEND lab.install {KERNEL_ARGUMENTS}
"""


@dataclass(frozen=True)
class Content:
    """A file of the ISO: its bytes, or a host file."""

    data: bytes = b""
    source: Path | None = None

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.data) if self.source is None else self.source.stat().st_size

    def sha256(self) -> str:
        """Return the digest, read in blocks."""
        if self.source is None:
            return hashlib.sha256(self.data).hexdigest()
        with self.source.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


Tree = dict[str, Content]


def _text(text: str) -> Content:
    return Content(text.encode("utf-8"))


def seed_hash(spec: SeedSpec, image_digest: str) -> str:
    """Return 32 hex digits that change with the ISO, except its timestamp.

    It covers the texts themselves, so that an ISO of an older version of this program is built again.
    """
    texts = (
        spec.input_hash(image_digest),
        cloud_config.user_data(spec),
        cloud_config.network_config(spec),
        cloud_config.registries(spec),
        settings(spec),
        _ISOLINUX,
        MANIFEST_FORMAT,
    )
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:32]


def settings(spec: SeedSpec) -> str:
    """Return the text of the settings file, /etc/lab-seed.conf in the guest."""
    paths = spec.paths
    values = {"payload": paths.payload, "iso_copy_marker": paths.iso_copy, "packages_marker": paths.packages}
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def payload(spec: SeedSpec, packages: Path) -> Tree:
    """Return path below /files/ -> content, without the manifest."""
    tree = {f"packages/{path.name}": Content(source=path) for path in sorted(packages.iterdir())}
    tree["build-timestamp"] = _text(f"{spec.build_timestamp}\n")
    tree["ca.crt"] = _text(cloud_config.unix_text(spec.ca_certificate))
    tree["registries.yaml"] = _text(cloud_config.registries(spec))
    return dict(sorted(tree.items()))


def manifest(spec: SeedSpec, input_hash: str, files: Tree) -> str:
    """Return the JSON text of machine, inputs and digests of the payload."""
    return (
        json.dumps(
            {
                "format": MANIFEST_FORMAT,
                "machine": spec.machine,
                "role": spec.role.value,
                "address": spec.address.partition("/")[0],
                "host_key": spec.host_key.public,
                "input_hash": input_hash,
                "files": [{"path": p, "size": c.size, "sha256": c.sha256()} for p, c in files.items()],
            },
            indent=1,
        )
        + "\n"
    )


def _installer_lists(files: Tree) -> Tree:
    """Return the lists for the installer's check.

    Names as `find .` prints them.
    """
    sizes = sorted(f"{content.size} ./{path}\n" for path, content in files.items())
    digests = [f"{content.sha256()}  ./{path}\n" for path, content in files.items()]
    return {
        "installer/files.sizes": Content("".join(sizes).encode()),
        "installer/files.sha256": Content("".join(digests).encode()),
    }


def iso_tree(spec: SeedSpec, image: GuestImage) -> Tree:
    """Return path -> content in the order on the ISO."""
    input_hash = seed_hash(spec, image.digest)
    files = payload(spec, image.packages)
    files["manifest.json"] = _text(manifest(spec, input_hash, files))
    boot, library = image.isolinux
    tree: Tree = {
        "isolinux/isolinux.bin": Content(boot.read_bytes()),
        "isolinux/ldlinux.c32": Content(source=library),
        "isolinux/isolinux.cfg": _text(_ISOLINUX),
        "installer/vmlinuz": Content(source=image.kernel),
        "installer/initrd.img": Content(source=image.initrd),
        "installer/disk.map": Content(source=image.disk_map),
        "installer/disk.sectors": Content(source=image.disk_sectors),
        SETTINGS: _text(settings(spec)),
        **_installer_lists(files),
    }
    data = (cloud_config.user_data(spec), cloud_config.meta_data(spec, input_hash), cloud_config.network_config(spec))
    tree.update({path: _text(text) for path, text in zip(AUTOINSTALL, data, strict=True)})
    tree.update({f"files/{path}": content for path, content in files.items()})
    tree[DISK_START] = Content(b" " * 12 + b"\n")
    tree[DISK_CHUNKS] = Content(source=image.disk_chunks)
    return tree


def differences(tree: Tree, found: dict[str, PayloadFile]) -> list[str]:
    """Return one line per missing file or different size or digest."""
    lines = []
    for path, content in tree.items():
        file = found.get(path)
        if file is None:
            lines.append(f"{path} is missing")
        elif file.size != content.size:
            lines.append(f"{path} has {file.size} bytes, expected {content.size}")
        elif file.sha256 != content.sha256():
            lines.append(f"{path} differs from what was written")
    return lines
