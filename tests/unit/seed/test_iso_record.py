"""Directory entries as bytes."""

from __future__ import annotations

import struct

from harness.seed.iso_record import Extent, Record, joined, record_of, system_use_fields


def entry(name: bytes, flags: int = 0, sector: int = 20, size: int = 7) -> bytes:
    numbers = struct.pack("<I", sector) + bytes(4) + struct.pack("<I", size) + bytes(11) + bytes([flags])
    return b"\0\0" + numbers + bytes(6) + bytes([len(name)]) + name


def test_a_name_is_without_its_version() -> None:
    assert record_of(entry(b"FILE.;1"), joliet=False) == Record("FILE", (Extent(20, 7),), is_directory=False)
    assert record_of(entry("é.txt;1".encode("utf-16-be")), joliet=True).name == "é.txt"
    assert record_of(entry(b"F0.;1"), joliet=False, rock_ridge="a;b").name == "a;b"


def test_a_flag_makes_a_directory() -> None:
    assert record_of(entry(b"D", flags=2), joliet=False).is_directory


def test_a_file_of_several_entries_has_their_extents_in_order() -> None:
    parts = [record_of(entry(b"F", sector=sector, size=size), joliet=False) for sector, size in ((20, 4), (9, 3))]
    whole = joined(parts)
    assert (whole.name, whole.sector, whole.size, whole.extents) == ("F", 20, 7, (Extent(20, 4), Extent(9, 3)))


def test_system_use_fields_end_at_one_without_length() -> None:
    assert list(system_use_fields(b"NM\x06\x01\0a" + b"XX\0\x01")) == [(b"NM", b"\0a")]
    assert list(system_use_fields(b"NM")) == []
