"""Entries of the directories of an ISO 9660 image (ECMA-119, 9.1). Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

_DIRECTORY = 0x02  # a file flag (ECMA-119, 9.1.6)


@dataclass(frozen=True)
class Extent:
    """Contiguous bytes on the volume: first sector, length in bytes."""

    sector: int
    size: int


@dataclass(frozen=True)
class Record:
    """A directory entry: name, and the extents of its bytes in order.

    A file of 4 GiB and more has several extents, because a length has 32 bits.
    """

    name: str
    extents: tuple[Extent, ...]
    is_directory: bool

    @property
    def sector(self) -> int:
        """First sector."""
        return self.extents[0].sector

    @property
    def size(self) -> int:
        """Length in bytes."""
        return sum(extent.size for extent in self.extents)


@dataclass(frozen=True)
class Volume:
    """Volume descriptors: identifier, declared length in bytes, root, boot catalogue."""

    volume_id: str
    declared_size: int
    root: Record
    joliet: bool
    boot_catalog: int | None


def joined(records: list[Record]) -> Record:
    """Return the file whose extents are those of the records."""
    extents = tuple(extent for record in records for extent in record.extents)
    return replace(records[-1], name=records[0].name, extents=extents)


def record_of(entry: bytes, *, joliet: bool, rock_ridge: str = "") -> Record:
    """Return the record of the bytes of a directory entry."""
    sector = struct.unpack_from("<I", entry, 2)[0]
    size = struct.unpack_from("<I", entry, 10)[0]
    raw = entry[33 : 33 + entry[32]]
    name = rock_ridge or raw.decode("utf-16-be" if joliet else "latin-1", errors="replace")
    if not rock_ridge and ";" in name:
        name = name.partition(";")[0].rstrip(".")
    return Record(name, (Extent(sector, size),), bool(entry[25] & _DIRECTORY))


def system_use_fields(area: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield signature and data of system use fields (IEEE P1281)."""
    while len(area) >= 4 and area[2] >= 4:
        yield area[:2], area[4 : area[2]]
        area = area[area[2] :]
