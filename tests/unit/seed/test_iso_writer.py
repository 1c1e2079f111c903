"""The ISO writer creates bootable, reproducible images."""

from __future__ import annotations

import io
import os
import struct
import time
from pathlib import Path

import pycdlib
import pytest
from seed_samples import spec

from harness.image.spec import GuestImage
from harness.seed.build import write_seed_iso
from harness.seed.iso9660 import IsoReader


def test_two_builds_of_the_same_inputs_are_the_same_bytes(
    tmp_path: Path, image: GuestImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first.iso", tmp_path / "second.iso"
    write_seed_iso(spec(), image, first)
    if hasattr(time, "tzset"):
        monkeypatch.setenv("TZ", "Asia/Seoul")
        time.tzset()
    try:
        monkeypatch.setattr(time, "time", lambda: 4_000_000_000.0)
        os.utime(image.kernel, (0, 0))
        write_seed_iso(spec(), image, second)
    finally:
        monkeypatch.undo()
        if hasattr(time, "tzset"):
            time.tzset()
    assert first.read_bytes() == second.read_bytes()


def test_the_boot_loader_has_its_own_position_in_its_table(tmp_path: Path, image: GuestImage) -> None:
    path = tmp_path / "seed.iso"
    write_seed_iso(spec(), image, path)
    with IsoReader(path) as iso:
        loader = iso.find("isolinux/isolinux.bin")
        assert loader is not None
        table = struct.unpack_from("<III", iso.read(loader), 8)
    # syslinux, "ISOLINUX": sector of the volume descriptor, sector of the file, length of the file.
    assert table == (16, loader.sector, loader.size)


def test_the_installer_finds_the_start_of_the_disks_chunks(tmp_path: Path, image: GuestImage) -> None:
    path = tmp_path / "seed.iso"
    write_seed_iso(spec(), image, path)
    with IsoReader(path) as iso:
        record = iso.find("installer/disk.start")
        assert record is not None
        text = iso.read(record).decode()
    assert not text.startswith("0"), "a shell reads a number with a leading 0 as octal"
    begin = path.read_bytes()[int(text) :]
    assert begin.startswith(image.disk_chunks.read_bytes())


def test_an_independent_reader_finds_names_and_bytes(tmp_path: Path, image: GuestImage) -> None:
    path = tmp_path / "seed.iso"
    write_seed_iso(spec(), image, path)
    iso = pycdlib.PyCdlib()
    iso.open(str(path))
    data = io.BytesIO()
    iso.get_file_from_iso_fp(data, rr_path="/files/packages/jq_1.6-2.1+deb12u1_amd64.deb")
    iso.close()
    assert data.getvalue() == b"deb" * 700
