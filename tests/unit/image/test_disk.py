from __future__ import annotations

import hashlib
import os
import struct
import sys
import zlib
from pathlib import Path

import pytest

from harness.image.disk import MIB, Extent, boot_record, extents, write_chunks


def test_the_boot_record_has_one_active_linux_partition_behind_the_first_mib() -> None:
    record = boot_record(b"\xeb\x63", 81_786_880, 0x1234ABCD)
    assert len(record) == 512
    assert record[:2] == b"\xeb\x63"
    assert record[510:] == b"\x55\xaa"
    assert struct.unpack_from("<I", record, 440) == (0x1234ABCD,)
    assert (record[446], record[450]) == (0x80, 0x83)
    assert struct.unpack_from("<II", record, 454) == (2048, 81_786_880)
    assert record[462:510] == bytes(48)


def test_the_length_is_where_the_installer_writes_the_real_one() -> None:
    # guest/installer.sh puts four bytes at offset 458 when it knows the disk.
    assert struct.unpack_from("<I", boot_record(b"", 0x01020304, 0), 458) == (0x01020304,)


def test_adjacent_chunks_become_one_extent() -> None:
    assert extents([0, 1, 2, 9, 10, 40]) == (Extent(0, 0, 3), Extent(9, 3, 2), Extent(40, 5, 1))
    assert extents([]) == ()


@pytest.mark.skipif(sys.platform == "win32", reason="sparse files are looked up as Linux does it")
def test_the_chunks_put_back_in_their_places_are_the_disk(tmp_path: Path) -> None:
    raw, chunks = tmp_path / "raw", tmp_path / "chunks"
    pieces = {0: os.urandom(MIB), 3: b"x", 4: bytes(MIB), 7: b"end"}
    with raw.open("wb") as stream:
        stream.truncate(8 * MIB + 100)
        for index, data in pieces.items():
            stream.seek(index * MIB)
            stream.write(data)
    found, crc = write_chunks(raw, chunks)
    assert found == (Extent(0, 0, 1), Extent(3, 1, 1), Extent(7, 2, 1)), "a chunk of zeros is left out"
    rebuilt = bytearray(9 * MIB)
    data = chunks.read_bytes()
    assert crc == zlib.crc32(data)
    for extent in found:
        part = data[extent.skip * MIB : (extent.skip + extent.count) * MIB]
        rebuilt[extent.seek * MIB : (extent.seek + extent.count) * MIB] = part
    expected = raw.read_bytes()
    assert hashlib.sha256(rebuilt[: len(expected)]).digest() == hashlib.sha256(expected).digest()
