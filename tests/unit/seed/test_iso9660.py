"""The ISO reader, on images of other programs and on damaged ones."""

from __future__ import annotations

import hashlib
import re
import struct
from pathlib import Path

import pytest

from harness.seed.inspect import inspect_iso, payload_digests
from harness.seed.iso9660 import IsoReader
from harness.seed.model import PayloadFile

from .foreign_iso import AUTOINSTALL, K3S, foreign_iso


def continue_file(path: Path, name: str) -> None:
    """Mark a file's entry as continued by the next one (flag 0x80 of ECMA-119, 9.1.6)."""
    with IsoReader(path) as iso:
        record = iso.find(f"files/{name}")
    assert record is not None
    data = bytearray(path.read_bytes())
    where = struct.pack("<I", record.sector) + struct.pack(">I", record.sector)
    for found in re.finditer(re.escape(where), data):
        data[found.start() + 23] |= 0x80
    path.write_bytes(data)


def rename(path: Path, name: str, new: str) -> None:
    data = path.read_bytes()
    for encoding in ("ascii", "utf-16-be"):
        data = data.replace(name.encode(encoding), new.encode(encoding))
    path.write_bytes(data)


@pytest.mark.parametrize("rock_ridge", [True, False], ids=["rock-ridge", "joliet"])
def test_a_file_of_several_extents_is_one_file(tmp_path: Path, rock_ridge: bool) -> None:
    parts = {"images-0.tar": b"a" * 4096, "images-1.tar": b"b" * 2048, "images-2.tar": b"c" * 3}
    files = {"files/build-timestamp": b"2026\n", **{f"files/{name}": data for name, data in parts.items()}}
    path = foreign_iso(tmp_path / "seed.iso", files, rock_ridge=rock_ridge)
    for name in ("images-1.tar", "images-0.tar"):
        continue_file(path, name)
    rename(path, "images-1.tar", "images-0.tar")
    rename(path, "images-2.tar", "images-0.tar")
    whole = b"".join(parts.values())
    timestamp = PayloadFile("build-timestamp", 5, None)
    assert inspect_iso(path).payload == (timestamp, PayloadFile("images-0.tar", len(whole), None))
    assert payload_digests(path)["images-0.tar"] == hashlib.sha256(whole).hexdigest()
    with IsoReader(path) as iso:
        record = iso.find("files/images-0.tar")
        assert record is not None
        assert iso.read(record) == whole


def test_a_file_whose_last_extent_is_not_there_is_listed_all_the_same(tmp_path: Path) -> None:
    path = foreign_iso(tmp_path / "seed.iso", {"files/k3s": K3S})
    continue_file(path, "k3s")
    assert inspect_iso(path).payload == (PayloadFile("k3s", len(K3S), None),)


def test_an_iso_without_a_boot_record_is_not_bootable(tmp_path: Path) -> None:
    path = foreign_iso(tmp_path / "seed.iso", {"autoinstall/user-data": AUTOINSTALL}, bootable=False)
    assert not inspect_iso(path).bios_bootable


def test_an_iso_that_only_uefi_boots_is_not_bootable_by_bios(tmp_path: Path) -> None:
    path = foreign_iso(tmp_path / "seed.iso", {"autoinstall/user-data": AUTOINSTALL})
    with IsoReader(path) as iso:
        catalog = iso.volume.boot_catalog
    assert catalog is not None
    data = bytearray(path.read_bytes())
    data[catalog * 2048 + 1] = 0xEF
    path.write_bytes(data)
    assert not inspect_iso(path).bios_bootable
