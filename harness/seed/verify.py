"""Compare the files of a seed ISO with the digests on it."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from harness.seed.inspect import inspect_iso, manifest_of, reading
from harness.seed.iso9660 import SECTOR, IsoReader
from harness.seed.iso_record import Record
from harness.seed.iso_tree import (
    BOOT_CATALOG,
    BOOT_FILE,
    DISK_CHUNKS,
    DISK_START,
    FILE_DIGESTS,
    FILE_SIZES,
    boot_digest,
)
from harness.seed.model import IsoInfo

_VOLUME_DESCRIPTOR = 16  # its sector (ECMA-119, 6.2.1)
# Files that the lists cannot have, as they hold them or depend on positions; each has a rule of its own.
_UNLISTED = {BOOT_CATALOG, DISK_START, FILE_DIGESTS, FILE_SIZES}


def verified_iso(path: Path) -> IsoInfo:
    """Inspect a seed ISO, read it whole, and report its damage.

    An ISO that was built elsewhere has no digests to compare with.

    Raises:
        SeedError: As `inspect_iso`.
    """
    info = inspect_iso(path)
    return replace(info, damage=iso_damage(path)) if info.input_hash is not None else info


def iso_damage(path: Path) -> tuple[str, ...]:
    """Read a whole ISO and return its damage.

    The ISO is one of this project.

    Raises:
        SeedError: As `inspect_iso`.
    """
    with reading(path) as iso:
        return tuple(_damage(iso))


def _damage(iso: IsoReader) -> Iterator[str]:
    found = dict(iso.walk(iso.volume.root))
    expected = _expected(iso, found)
    boots = BOOT_FILE in expected or not expected
    unlisted = _UNLISTED if boots else {FILE_DIGESTS, FILE_SIZES}
    yield from (f"{name} is missing" for name in (*expected, *unlisted) if name not in found)
    if any(name.startswith("installer/") for name in expected):  # else an older version built it, with a shorter list
        yield from (f"{name} is not of this seed" for name in found if name not in expected and name not in unlisted)
    yield from (
        f"{name} is damaged" for name in found if name in expected and _digest(iso, name, found[name]) != expected[name]
    )
    if FILE_SIZES in found and _sizes(found) != iso.read(found[FILE_SIZES]):
        yield f"{FILE_SIZES} is damaged"
    start, chunks = found.get(DISK_START), found.get(DISK_CHUNKS)
    if start and chunks and iso.read(start).split() != [str(chunks.sector * SECTOR).encode()]:
        yield f"{DISK_START} is not the offset of {DISK_CHUNKS}"
    if (boots and not iso.bios_bootable()) or (BOOT_FILE in found and not _boot_table_is_right(iso, found[BOOT_FILE])):
        yield "BIOS firmware cannot boot it"


def _expected(iso: IsoReader, found: Mapping[str, Record]) -> dict[str, str]:
    """Return the SHA-256 of each file in the lists of the ISO."""
    expected = {str(item["path"]): str(item["sha256"]) for item in (manifest_of(iso) or {}).get("medium", ())}
    text = iso.read(found[FILE_DIGESTS]).decode(errors="replace") if FILE_DIGESTS in found else ""
    for line in text.splitlines():
        digest, _, name = line.partition("  ./")
        expected[f"files/{name}"] = digest
    return expected


def _digest(iso: IsoReader, name: str, record: Record) -> str:
    return boot_digest(iso.read(record)) if name == BOOT_FILE else iso.sha256(record)


def _sizes(found: Mapping[str, Record]) -> bytes:
    """Return the sizes of the payload, as the installer's list has them."""
    payload = {name.removeprefix("files/"): record for name, record in found.items() if name.startswith("files/")}
    return "".join(sorted(f"{record.size} ./{name}\n" for name, record in payload.items())).encode()


def _boot_table_is_right(iso: IsoReader, record: Record) -> bool:
    """Return whether the loader's table names its position, length and sum.

    ISOLINUX compares them when it starts.
    """
    data = iso.read(record)
    body = data[64:] + bytes(-len(data) % 4)
    total = sum(word for (word,) in struct.iter_unpack("<I", body)) & 0xFFFFFFFF
    return struct.unpack_from("<4I", data, 8) == (_VOLUME_DESCRIPTOR, record.sector, record.size, total)
