"""Files of a seed ISO and the manifest that describes them."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.image.spec import KERNEL_ARGUMENTS
from harness.seed import cloud_config, k3s_node

if TYPE_CHECKING:
    from harness.image.spec import GuestImage
    from harness.seed.model import SeedSpec

MANIFEST = "files/manifest.json"
MANIFEST_FORMAT = "airgap-lab-seed/1"
BOOT_FILE = "isolinux/isolinux.bin"
BOOT_CATALOG = "isolinux/boot.cat"
# The installer reads the disk's chunks from the CD device; the second file holds the offset of their first byte.
DISK_CHUNKS = "installer/disk.chunks"
DISK_START = "installer/disk.start"
# What the installer compares the payload with; the digests are those of the manifest, and the manifest's own.
FILE_SIZES = "installer/files.sizes"
FILE_DIGESTS = "installer/files.sha256"
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
    """A file of the ISO: its bytes, or a host file.

    `known_digest` is the SHA-256 that the host file had when it was created, if that is known.
    """

    data: bytes = b""
    source: Path | None = None
    known_digest: str = ""

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.data) if self.source is None else self.source.stat().st_size

    def sha256(self) -> str:
        """Return the digest, read in blocks."""
        if self.known_digest:
            return self.known_digest
        if self.source is None:
            return hashlib.sha256(self.data).hexdigest()
        with self.source.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def text(self) -> str:
        """Return the content as text."""
        data = self.data if self.source is None else self.source.read_bytes()
        return data.decode("utf-8", errors="replace")


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
        k3s_node.registries(spec, with_login=False),
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


def payload(spec: SeedSpec, packages: Path | None) -> Tree:
    """Return path below /files/ -> content, without the manifest.

    Args:
        packages: Packages with their index that every machine gets; None without any.
    """
    tree = {f"packages/{path.name}": Content(source=path) for path in sorted(packages.iterdir())} if packages else {}
    tree["build-timestamp"] = _text(f"{spec.build_timestamp}\n")
    tree["ca.crt"] = _text(cloud_config.unix_text(spec.ca_certificate))
    tree["registries.yaml"] = _text(k3s_node.registries(spec, with_login=False))
    tree.update(_collected(spec, tree))
    return dict(sorted(tree.items()))


def _collected(spec: SeedSpec, tree: Tree) -> Tree:
    """Return the files that the lab file brings.

    With packages among them the repository's index is another one.
    """
    found = {file.path: Content(source=file.file, known_digest=file.sha256) for file in spec.payload}
    if spec.packages:
        index, expected = (tree.get(f"packages/{name}", Content()).text() for name in ("Packages", "expected"))
        entries = [package.entry for package in spec.packages]
        names = [f"{package.name}\n" for package in spec.packages if package.name not in expected.split()]
        found["packages/Packages"] = _text("\n".join([index, *entries] if index else entries))
        found["packages/expected"] = _text(expected + "".join(names))
    return found


def boot_digest(data: bytes) -> str:
    """Return the digest of the boot loader without its boot information table.

    The writer fills that table (syslinux, "ISOLINUX").
    """
    return hashlib.sha256(data[:8] + bytes(56) + data[64:]).hexdigest()


def manifest(spec: SeedSpec, input_hash: str, files: Tree, medium: Tree, *, events: bool = True) -> str:
    """Return the JSON text of machine, inputs and digests.

    Args:
        files: The payload: paths below /files/.
        medium: The files beside it: boot loader, installer, image of the OS, data of cloud-init.
        events: Whether installer and guest report every step on the serial port.
    """
    return (
        json.dumps(
            {
                "format": MANIFEST_FORMAT,
                "machine": spec.machine,
                "role": spec.role.value,
                "address": spec.address.partition("/")[0],
                "host_key": spec.host_key.public,
                "input_hash": input_hash,
                **({} if events else {"events": False}),
                "files": [_listed(path, content) for path, content in files.items()],
                "medium": [_listed(path, content) for path, content in medium.items()],
            },
            indent=1,
        )
        + "\n"
    )


def _listed(path: str, content: Content) -> dict[str, str | int]:
    digest = boot_digest(content.data) if path == BOOT_FILE else content.sha256()
    return {"path": path, "size": content.size, "sha256": digest}


def installer_lists(files: Tree) -> Tree:
    """Return the lists for the installer's check.

    Names as `find .` prints them.
    """
    sizes = sorted(f"{content.size} ./{path}\n" for path, content in files.items())
    digests = [f"{content.sha256()}  ./{path}\n" for path, content in files.items()]
    return {
        FILE_SIZES: Content("".join(sizes).encode()),
        FILE_DIGESTS: Content("".join(digests).encode()),
    }


def iso_tree(spec: SeedSpec, image: GuestImage) -> Tree:
    """Return path -> content in the order on the ISO."""
    input_hash = seed_hash(spec, image.digest)
    medium = _medium(spec, image, input_hash)
    files = payload(spec, image.packages)
    files["manifest.json"] = _text(manifest(spec, input_hash, files, medium))
    chunks = medium.pop(DISK_CHUNKS)
    return {
        **medium,
        **installer_lists(files),
        **{f"files/{path}": content for path, content in files.items()},
        DISK_START: Content(b" " * 12 + b"\n"),
        DISK_CHUNKS: chunks,
    }


def _medium(spec: SeedSpec, image: GuestImage, input_hash: str) -> Tree:
    """Return the files of the ISO that no other list has."""
    boot, library = image.isolinux
    digests = image.file_digests()
    of_image = {
        "isolinux/ldlinux.c32": library,
        "installer/vmlinuz": image.kernel,
        "installer/initrd.img": image.initrd,
        "installer/disk.map": image.disk_map,
        "installer/disk.crc32": image.disk_crc,
        "installer/disk.sectors": image.disk_sectors,
        DISK_CHUNKS: image.disk_chunks,
    }
    data = (cloud_config.user_data(spec), cloud_config.meta_data(spec, input_hash), cloud_config.network_config(spec))
    return {
        BOOT_FILE: Content(boot.read_bytes()),
        "isolinux/isolinux.cfg": _text(_ISOLINUX),
        **{path: Content(source=file, known_digest=digests[file.name]) for path, file in of_image.items()},
        SETTINGS: _text(settings(spec)),
        **{path: _text(text) for path, text in zip(AUTOINSTALL, data, strict=True)},
    }
