"""Disk of the installed system: boot record, ext4 partition, data chunks."""

from __future__ import annotations

import os
import struct
import uuid
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import HostError
from harness.system.process import run

MIB = 1 << 20
SECTOR = 512
PARTITION_START = MIB

# syslinux 6 reads ext4 without 64-bit block numbers; the disk it is written to is blank, so that neither inode
# tables nor the journal have to be zeroed again (mke2fs(8), `assume_storage_prezeroed`).
# One flexible group and no copies of the super block keep the metadata together at the start of the disk.
FILE_SYSTEM = (
    "-t", "ext4", "-O", "^64bit,^metadata_csum,^orphan_file,^resize_inode,sparse_super2", "-G", "1024", "-m", "1",
    "-i", "32768", "-L", "lab-root",
)  # fmt: skip
_EXTENDED = "lazy_itable_init=1,lazy_journal_init=1,assume_storage_prezeroed=1,num_backup_sb=0,root_owner=0:0"


def boot_record(code: bytes, sectors: int, signature: int) -> bytes:
    """Return a master boot record with one active partition at 1 MiB.

    Args:
        code: syslinux's `mbr.bin`, at most 440 bytes.
        sectors: Length of the partition in sectors of 512 bytes.
        signature: Disk signature, 32 bits.
    """
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", PARTITION_START // SECTOR, sectors)
    return code.ljust(440, b"\0") + struct.pack("<IH", signature, 0) + entry + bytes(48) + b"\x55\xaa"


@dataclass(frozen=True)
class Extent:
    """`count` MiB at `seek` of the disk, `skip` of the chunks."""

    seek: int
    skip: int
    count: int


def extents(indexes: Iterable[int]) -> tuple[Extent, ...]:
    """Return the extents of ascending MiB numbers; join adjacent ones."""
    found: list[Extent] = []
    for skip, index in enumerate(indexes):
        last = found[-1] if found else None
        if last is not None and last.seek + last.count == index:
            found[-1] = Extent(last.seek, last.skip, last.count + 1)
        else:
            found.append(Extent(index, skip, 1))
    return tuple(found)


def data_chunks(descriptor: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of every non-zero MiB of a sparse file."""
    empty = bytes(MIB)
    index = 0
    while index * MIB < size:
        try:
            index = os.lseek(descriptor, index * MIB, os.SEEK_DATA) // MIB
        except OSError:  # ENXIO: no data after this offset
            return
        chunk = os.pread(descriptor, MIB, index * MIB).ljust(MIB, b"\0")
        if chunk != empty:
            yield index, chunk
        index += 1


def write_chunks(raw: Path, chunks: Path) -> tuple[tuple[Extent, ...], int]:
    """Write a sparse disk image's data to `chunks`; return the extents and the CRC-32."""
    indexes, crc = [], 0
    with raw.open("rb") as source, chunks.open("wb") as target:
        for index, chunk in data_chunks(source.fileno(), raw.stat().st_size):
            indexes.append(index)
            target.write(chunk)
            crc = zlib.crc32(chunk, crc)
    return extents(indexes), crc


def make_disk(tree: Path, raw: Path, *, root_gib: int, file_system_uuid: uuid.UUID, wrapper: tuple[str, ...]) -> None:
    """Create a raw, sparse disk image with the tree on it.

    Args:
        tree: The guest's files, including syslinux's `mbr.bin`.
        raw: The image to write.
        root_gib: Size of the partition.
        file_system_uuid: The guest finds its root file system by it.
        wrapper: Arguments before mke2fs: fakeroot if the build does not run as root.

    Raises:
        HostError: mke2fs failed.
    """
    size = root_gib * 1024 * MIB
    code = (tree / "usr/lib/EXTLINUX/mbr.bin").read_bytes()
    with raw.open("wb") as image:
        image.truncate(PARTITION_START + size)
        image.write(boot_record(code, size // SECTOR, file_system_uuid.time_low))
    extended = f"{_EXTENDED},offset={PARTITION_START},hash_seed={file_system_uuid}"
    argv = (
        *wrapper, "/sbin/mke2fs", "-q", "-F", *FILE_SYSTEM, "-E", extended,
        "-U", str(file_system_uuid), "-d", str(tree), str(raw), f"{size // 1024}k",
    )  # fmt: skip
    done = run(argv, timeout_s=600)
    if done.returncode != 0:
        raise HostError(
            "mke2fs could not write the guest's disk", detail=done.output, remedy="check the free space of the cache"
        )
