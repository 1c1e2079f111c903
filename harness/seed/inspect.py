"""Inspect seed ISOs without mounting them or reading them completely."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from harness.core.errors import SeedError
from harness.seed.iso9660 import IsoReader
from harness.seed.iso_tree import MANIFEST, MANIFEST_FORMAT
from harness.seed.model import IsoInfo, PayloadFile

_USER_DATA = "autoinstall/user-data"
_NETWORK_CONFIG = "autoinstall/network-config"
_LONGEST_TEXT = 4 << 20


# What reading a damaged image or a hostile text ends in, beside the reader's own error.
_DAMAGED = (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, struct.error)


@contextmanager
def reading(path: Path) -> Iterator[IsoReader]:
    """Open an image; whatever its bytes are, reading it ends in a `SeedError`."""
    try:
        with IsoReader(path) as iso:
            yield iso
    except (*_DAMAGED, OSError) as error:
        remedy = "build the seeds again with `lab seed`, or copy the ISO again from where it was built"
        raise SeedError(f"is damaged: {type(error).__name__}: {error}", where=str(path), remedy=remedy) from error


def inspect_iso(path: Path) -> IsoInfo:
    """Inspect a seed ISO of this project or a remastered installer ISO.

    Raises:
        SeedError: The file is missing, not an ISO or truncated, or its manifest cannot be read.
    """
    with reading(path) as iso:
        manifest = manifest_of(iso)
        if manifest is not None:
            return _info_from_manifest(iso, manifest)
        data = _yaml(iso, _USER_DATA)
        autoinstall = _mapping(data.get("autoinstall"))
        sections = (autoinstall.get("identity"), autoinstall.get("user-data"), data)
        machine = next((name for section in sections if (name := _mapping(section).get("hostname"))), None)
        network = autoinstall.get("network") or data.get("network") or _yaml(iso, _NETWORK_CONFIG)
        return IsoInfo(
            path=path,
            volume_id=iso.volume.volume_id,
            bios_bootable=iso.bios_bootable(),
            machine=str(machine) if isinstance(machine, str | int | float) else None,
            role=None,
            address=_first_address(network),
            events=False,
            input_hash=None,
            host_key=None,
            payload=_payload_files(iso, {}),
        )


def _info_from_manifest(iso: IsoReader, manifest: dict[str, Any]) -> IsoInfo:
    try:
        digests = {str(entry["path"]): str(entry["sha256"]) for entry in manifest["files"]}
        return IsoInfo(
            path=iso.path,
            volume_id=iso.volume.volume_id,
            bios_bootable=iso.bios_bootable(),
            machine=str(manifest["machine"]),
            role=str(manifest["role"]),
            address=str(manifest["address"]),
            events=True,
            input_hash=str(manifest["input_hash"]),
            host_key=str(manifest["host_key"]),
            payload=_payload_files(iso, digests),
        )
    except (KeyError, TypeError) as error:
        raise SeedError(
            f"its manifest lacks {error}", where=str(iso.path), remedy="build the seeds again with `lab seed`"
        ) from error


def _payload_files(iso: IsoReader, digests: dict[str, str]) -> tuple[PayloadFile, ...]:
    """Return the files below /files/ with their digests in the manifest."""
    directory = iso.find("files")
    if directory is None or not directory.is_directory:
        return ()
    found = []
    for path, record in iso.walk(directory):
        digest = digests.get(path)
        if path == MANIFEST.partition("/")[2]:
            digest = iso.sha256(record)
        found.append(PayloadFile(path, record.size, digest))
    return tuple(sorted(found, key=lambda item: item.path))


def payload_digests(path: Path) -> dict[str, str]:
    """Read the payload and return path below /files/ -> SHA-256.

    Raises:
        SeedError: As `inspect_iso`.
    """
    with reading(path) as iso:
        directory = iso.find("files")
        if directory is None:
            return {}
        return {name: iso.sha256(record) for name, record in iso.walk(directory)}


def list_files(path: Path) -> dict[str, PayloadFile]:
    """Read the whole ISO and return path -> size and digest.

    Raises:
        SeedError: As `inspect_iso`.
    """
    with reading(path) as iso:
        return {name: PayloadFile(name, record.size, iso.sha256(record)) for name, record in iso.walk(iso.volume.root)}


def _text(iso: IsoReader, path: str) -> str | None:
    record = iso.find(path)
    if record is None or record.is_directory or record.size > _LONGEST_TEXT:
        return None
    return iso.read(record).decode("utf-8", errors="replace")


def manifest_of(iso: IsoReader) -> dict[str, Any] | None:
    """Return the manifest, or None where there is none of this project."""
    text = _text(iso, MANIFEST)
    if text is None:
        return None
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("format") == MANIFEST_FORMAT else None


def _yaml(iso: IsoReader, path: str) -> dict[str, Any]:
    """Return the mapping in a YAML file on the ISO.

    {} if missing or invalid.
    """
    try:
        return _mapping(yaml.safe_load(_text(iso, path) or ""))
    except (yaml.YAMLError, *_DAMAGED):
        return {}


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _first_address(network: object) -> str | None:
    """Return the first static address of a netplan document.

    The document may omit its `network:` level.
    """
    config = _mapping(network)
    config = _mapping(config.get("network")) or config
    for card in _mapping(config.get("ethernets")).values():
        for address in _mapping(card).get("addresses") or []:
            return str(address).partition("/")[0] if isinstance(address, str | int | float) else None
    return None
