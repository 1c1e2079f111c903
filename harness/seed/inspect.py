"""What a seed ISO says about itself, without mounting it and without reading it whole."""

from __future__ import annotations

import json
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


def inspect_iso(path: Path) -> IsoInfo:
    """Return what is known of a seed ISO: of this project, or of a remastered installer ISO of somebody else.

    Raises:
        SeedError: The file is missing, is no ISO, is cut short, or its manifest cannot be read.
    """
    with IsoReader(path) as iso:
        told = _manifest(iso)
        if told is not None:
            return _own(iso, told)
        data = _yaml(iso, _USER_DATA)
        autoinstall = _mapping(data.get("autoinstall"))
        places = (autoinstall.get("identity"), autoinstall.get("user-data"), data)
        machine = next((name for place in places if (name := _mapping(place).get("hostname"))), None)
        network = autoinstall.get("network") or data.get("network") or _yaml(iso, _NETWORK_CONFIG)
        return IsoInfo(
            path=path,
            volume_id=iso.volume.volume_id,
            bios_bootable=iso.bios_bootable(),
            machine=None if machine is None else str(machine),
            role=None,
            address=_first_address(network),
            events=False,
            input_hash=None,
            host_key=None,
            payload=_listed(iso, {}),
        )


def _own(iso: IsoReader, told: dict[str, Any]) -> IsoInfo:
    try:
        digests = {str(entry["path"]): str(entry["sha256"]) for entry in told["files"]}
        return IsoInfo(
            path=iso.path,
            volume_id=iso.volume.volume_id,
            bios_bootable=iso.bios_bootable(),
            machine=str(told["machine"]),
            role=str(told["role"]),
            address=str(told["address"]),
            events=True,
            input_hash=str(told["input_hash"]),
            host_key=str(told["host_key"]),
            payload=_listed(iso, digests),
        )
    except (KeyError, TypeError) as error:
        raise SeedError(
            f"its manifest lacks {error}", where=str(iso.path), remedy="build the seeds again with `lab seed`"
        ) from error


def _listed(iso: IsoReader, digests: dict[str, str]) -> tuple[PayloadFile, ...]:
    """Return every file of /files/ as the ISO's directory has it, with the manifest's digests."""
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
    """Return path below /files/ -> SHA-256, by reading every file of the payload.

    Raises:
        SeedError: As `inspect_iso`.
    """
    with IsoReader(path) as iso:
        directory = iso.find("files")
        if directory is None:
            return {}
        return {name: iso.sha256(record) for name, record in iso.walk(directory)}


def whole_listing(path: Path) -> dict[str, PayloadFile]:
    """Return path on the ISO -> size and digest, of every file on it, by reading it whole.

    Raises:
        SeedError: As `inspect_iso`.
    """
    with IsoReader(path) as iso:
        return {name: PayloadFile(name, record.size, iso.sha256(record)) for name, record in iso.walk(iso.volume.root)}


def _text(iso: IsoReader, path: str) -> str | None:
    record = iso.find(path)
    if record is None or record.is_directory or record.size > _LONGEST_TEXT:
        return None
    return iso.read(record).decode("utf-8", errors="replace")


def _manifest(iso: IsoReader) -> dict[str, Any] | None:
    text = _text(iso, MANIFEST)
    if text is None:
        return None
    try:
        told = json.loads(text)
    except ValueError:
        return None
    return told if isinstance(told, dict) and told.get("format") == MANIFEST_FORMAT else None


def _yaml(iso: IsoReader, path: str) -> dict[str, Any]:
    """Return the mapping of a YAML file on the ISO; empty when there is none or it is no YAML."""
    try:
        return _mapping(yaml.safe_load(_text(iso, path) or ""))
    except yaml.YAMLError:
        return {}


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _first_address(network: object) -> str | None:
    """Return the first static address of a netplan document, with or without its `network:` level."""
    config = _mapping(network)
    config = _mapping(config.get("network")) or config
    for card in _mapping(config.get("ethernets")).values():
        for address in _mapping(card).get("addresses") or []:
            return str(address).partition("/")[0]
    return None
