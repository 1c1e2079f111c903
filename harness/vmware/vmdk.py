"""Virtual disks: create one with VMware's tool, and read a VMDK's own words about itself.

Formats: "Virtual Disk Format 5.0", VMware technical note of 2011. A descriptor is text; it stands alone for disks of
several files, and inside the file (behind a sparse header with the magic `KDMV`) for disks of one file.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.core.errors import HostError
from harness.core.text import decode

SECTOR = 512
_MAGIC = b"KDMV"
# SparseExtentHeader: magic, version, flags, capacity, grainSize, descriptorOffset, descriptorSize (in sectors).
_HEADER = struct.Struct("<4sIIQQQQ")
_MAX_DESCRIPTOR = 1 << 20
_EXTENT = re.compile(r'^\s*(RW|RDONLY|NOACCESS)\s+(\d+)\s+(\w+)(?:\s+"([^"]+)")?(?:\s+\d+)?\s*$', re.MULTILINE)
_SETTING = re.compile(r'^\s*([\w.]+)\s*=\s*"?([^"\n]*?)"?\s*$', re.MULTILINE)


class DiskError(HostError):
    """A virtual disk could not be created or read; `why` is the reason in the words of an error's first line."""

    why: ClassVar[str] = "the tool failed"


@dataclass(frozen=True)
class Extent:
    """One piece of a disk; `file` is None for a piece of zeros."""

    access: str
    sectors: int
    kind: str
    file: Path | None


@dataclass(frozen=True)
class DiskInfo:
    """What a VMDK says of itself; `allocated_bytes` is what its files take on the host now."""

    capacity_bytes: int
    create_type: str
    adapter: str
    extents: tuple[Extent, ...]
    allocated_bytes: int

    @property
    def capacity_gib(self) -> float:
        """The size that the guest sees, in GiB."""
        return self.capacity_bytes / (1 << 30)


def inspect_disk(path: Path) -> DiskInfo:
    """Return what the VMDK says of itself; all its pieces are there and sparse ones begin as they must.

    Raises:
        DiskError: It is missing, is no VMDK, or is incomplete.
    """
    try:
        text, inside = _descriptor(path)
        settings = {key.lower(): value for key, value in _SETTING.findall(text)}
        extents = tuple(
            Extent(access, int(sectors), kind, path.parent / name if name else None)
            for access, sectors, kind, name in _EXTENT.findall(text)
        )
        if "createtype" not in settings or not extents:
            raise _broken(path, "its descriptor has no createType or no extent")
        files = {extent.file for extent in extents if extent.file is not None}
        for extent in extents:
            _check_extent(path, extent)
        allocated = sum(_allocated(file) for file in (files if inside else files | {path}))
    except OSError as error:
        raise _broken(path, f"it cannot be read: {error.strerror or error}") from error
    return DiskInfo(
        capacity_bytes=sum(extent.sectors for extent in extents) * SECTOR,
        create_type=settings["createtype"],
        adapter=settings.get("ddb.adaptertype", ""),
        extents=extents,
        allocated_bytes=allocated,
    )


def _descriptor(path: Path) -> tuple[str, bool]:
    """Return the descriptor's text, and whether it stands inside the disk's own file."""
    with path.open("rb") as file:
        head = file.read(_HEADER.size)
        if not head.startswith(_MAGIC):
            return decode(head + file.read(_MAX_DESCRIPTOR)), False
        if len(head) < _HEADER.size:
            raise _broken(path, "it ends inside its header")
        *_, offset, size = _HEADER.unpack(head)
        if not 0 < size * SECTOR <= _MAX_DESCRIPTOR:
            raise _broken(path, "it is a piece of a disk, or its header is damaged")
        file.seek(offset * SECTOR)
        return decode(file.read(size * SECTOR).split(b"\0", 1)[0]), True


def _check_extent(path: Path, extent: Extent) -> None:
    if extent.file is None or extent.kind != "SPARSE":
        return
    with extent.file.open("rb") as file:
        head = file.read(_HEADER.size)
    if len(head) < _HEADER.size or not head.startswith(_MAGIC):
        raise _broken(path, f"{extent.file.name} is not a sparse extent")
    capacity = _HEADER.unpack(head)[3]
    if capacity != extent.sectors:
        raise _broken(path, f"{extent.file.name} has {capacity} sectors, the descriptor says {extent.sectors}")


def _allocated(file: Path) -> int:
    stat = file.stat()
    blocks: int | None = getattr(stat, "st_blocks", None)  # POSIX only, in units of 512 bytes
    return stat.st_size if blocks is None else blocks * 512


def _broken(path: Path, why: str) -> DiskError:
    return DiskError(
        f"not a usable virtual disk: {why}",
        where=str(path),
        remedy="delete the machine with `lab down` and create it again",
    )
