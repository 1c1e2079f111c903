"""Inspect seed ISOs without mounting them or reading them completely."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.core.errors import SeedError
from harness.core.json_text import parse_json
from harness.seed.foreign.documents import BrokenDocument, mapping, read_document
from harness.seed.foreign.layout import AUTOINSTALL_FILE, LONGEST_TEXT, user_data_path
from harness.seed.iso9660 import IsoReader
from harness.seed.iso_tree import MANIFEST, MANIFEST_FORMAT
from harness.seed.model import IsoInfo, PayloadFile

# The kinds of devices that netplan can give an address.
_CARDS = ("ethernets", "bonds", "bridges", "vlans")

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
        place = user_data_path(iso) or ""
        data = _yaml(iso, place)
        autoinstall = mapping(data.get("autoinstall")) or (data if place == AUTOINSTALL_FILE else {})
        sections = (autoinstall.get("identity"), autoinstall.get("user-data"), data)
        machine = next((name for section in sections if (name := mapping(section).get("hostname"))), None)
        beside = f"{place.rpartition('/')[0]}/network-config".lstrip("/")
        network = autoinstall.get("network") or data.get("network") or _yaml(iso, beside)
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
            events=manifest.get("events") is not False,
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
    if record is None or record.is_directory or record.size > LONGEST_TEXT:
        return None
    return iso.read(record).decode("utf-8", errors="replace")


def manifest_of(iso: IsoReader) -> dict[str, Any] | None:
    """Return the manifest, or None where there is none of this project."""
    text = _text(iso, MANIFEST)
    if text is None:
        return None
    try:
        manifest = parse_json(text)
    except (ValueError, RecursionError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("format") == MANIFEST_FORMAT else None


def _yaml(iso: IsoReader, path: str) -> dict[str, Any]:
    """Return the mapping in a YAML file on the ISO.

    {} if missing or invalid.
    """
    try:
        return mapping(read_document(path, _text(iso, path) or "").data) if path else {}
    except BrokenDocument:
        return {}


def _first_address(network: object) -> str | None:
    """Return the first static address of a netplan document.

    The document may omit its `network:` level.
    """
    config = mapping(network)
    config = mapping(config.get("network")) or config
    for card in (card for kind in _CARDS for card in mapping(config.get(kind)).values()):
        for address in mapping(card).get("addresses") or []:
            text = next(iter(address), "") if isinstance(address, dict) else address
            return str(text).partition("/")[0] if isinstance(text, str | int | float) else None
    return None
