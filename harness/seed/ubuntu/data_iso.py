"""Write the data ISO of one machine, which Ubuntu's installer reads.

It is a second CD beside the installer's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib import resources
from pathlib import Path

from harness.config.model import DATA_LABEL
from harness.core.private import keep_file_private
from harness.image.guest_files import GuestFile, guest_files, overlay_tar
from harness.image.spec import guest_file_text
from harness.seed.build import built_from, write_verified
from harness.seed.cloud_config import meta_data, network_config
from harness.seed.iso_tree import MANIFEST_FORMAT, Content, Tree, installer_lists, manifest, payload, settings
from harness.seed.model import SeedSpec
from harness.seed.ubuntu.user_data import user_data
from harness.seed.verify import iso_damage

# Of the files of our own guest image, those that install the packages of the payload.
_GUEST_FILES = (
    "etc/systemd/system/k8s-ops-packages.service",
    "etc/systemd/system/multi-user.target.wants/k8s-ops-packages.service",
    "usr/local/sbin/k8s-ops-packages",
    "usr/local/sbin/lab-event",
)


def data_hash(spec: SeedSpec) -> str:
    """Return 32 hex digits that change with the ISO, except its timestamp."""
    texts = [spec.input_hash("ubuntu"), user_data(spec), network_config(spec), MANIFEST_FORMAT]
    texts += [content.sha256() for content in _programs(spec).values()]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:32]


def data_tree(spec: SeedSpec) -> Tree:
    """Return path -> content of the data ISO."""
    input_hash = data_hash(spec)
    texts = {
        "user-data": user_data(spec),
        "meta-data": meta_data(spec, input_hash),
        "network-config": network_config(spec),
    }
    medium = {**{path: Content(text.encode()) for path, text in texts.items()}, **_programs(spec)}
    files = payload(spec, None)
    files["manifest.json"] = Content(manifest(spec, input_hash, files, medium, events=False).encode())
    return {**medium, **installer_lists(files), **{f"files/{path}": content for path, content in files.items()}}


def build_data_isos(specs: Sequence[SeedSpec], directory: Path, say: Callable[[str], None]) -> list[Path]:
    """Build the data ISOs of all machines; keep those that are as their inputs.

    Raises:
        SeedError: One cannot be written, or a foreign file is in its place.
    """
    paths = [directory / spec.iso_name for spec in specs]
    found = [built_from(path) for path in paths]
    for spec, path, inputs in zip(specs, paths, found, strict=True):
        if inputs == data_hash(spec) and not iso_damage(path):
            keep_file_private(path)
            say(f"{path.name} is up to date")
            continue
        write_data_iso(spec, path)
        say(f"{path.name}: {path.stat().st_size >> 10} KiB for {spec.machine} at {spec.address}")
    return paths


def write_data_iso(spec: SeedSpec, path: Path) -> None:
    """Write the data ISO of one machine; the same inputs give the same bytes.

    Raises:
        SeedError: It cannot be written, or it reads back differently.
    """
    timestamp = datetime.fromisoformat(spec.build_timestamp).timestamp()
    write_verified(path, data_tree(spec), DATA_LABEL, timestamp)


def _programs(spec: SeedSpec) -> Tree:
    """Return what the installer runs, and what it adds to the new system."""
    ours = guest_files()
    files = {path: ours[path] for path in _GUEST_FILES} | {"etc/lab-seed.conf": GuestFile(settings(spec))}
    late = resources.files("harness.seed.ubuntu").joinpath("late.sh").read_text(encoding="utf-8")
    return {
        "installer/late.sh": Content(late.replace("\r\n", "\n").encode()),
        "installer/lab-event.sh": Content(guest_file_text("lab-event.sh").encode()),
        "installer/guest.tar": Content(overlay_tar(files)),
    }
