from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import struct
import sys
from pathlib import Path

import pytest
from fake_run import FakeRun

from harness.cli import host_packages
from harness.core.errors import HostError
from harness.image import cpio
from harness.image.disk import MIB, Extent, boot_record, extents, write_chunks
from harness.image.initrd import load_order, module_bytes, parse_dependencies

MODULES_DEP = """\
kernel/drivers/ata/ahci.ko: kernel/drivers/ata/libahci.ko kernel/drivers/ata/libata.ko kernel/drivers/scsi/scsi_mod.ko
kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko
kernel/drivers/scsi/scsi_mod.ko:
"""


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


def test_neighbouring_chunks_become_one_extent() -> None:
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
    found = write_chunks(raw, chunks)
    assert found == (Extent(0, 0, 1), Extent(3, 1, 1), Extent(7, 2, 1)), "a chunk of zeros is left out"
    rebuilt = bytearray(9 * MIB)
    data = chunks.read_bytes()
    for extent in found:
        part = data[extent.skip * MIB : (extent.skip + extent.count) * MIB]
        rebuilt[extent.seek * MIB : (extent.seek + extent.count) * MIB] = part
    expected = raw.read_bytes()
    assert hashlib.sha256(rebuilt[: len(expected)]).digest() == hashlib.sha256(expected).digest()


def test_a_module_is_loaded_after_what_it_needs() -> None:
    dependencies = parse_dependencies(MODULES_DEP)
    assert load_order("ahci", dependencies) == (
        "kernel/drivers/scsi/scsi_mod.ko",
        "kernel/drivers/ata/libata.ko",
        "kernel/drivers/ata/libahci.ko",
        "kernel/drivers/ata/ahci.ko",
    )
    assert load_order("scsi_mod", dependencies) == ("kernel/drivers/scsi/scsi_mod.ko",)
    assert load_order("nvme", dependencies) == ()


def test_compressed_modules_are_named_and_packed_plain(tmp_path: Path) -> None:
    dependencies = parse_dependencies("kernel/a.ko.zst: kernel/b.ko.xz\n")
    assert load_order("a", dependencies) == ("kernel/b.ko", "kernel/a.ko")
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel/b.ko.xz").write_bytes(lzma.compress(b"module b"))
    (tmp_path / "kernel/c.ko").write_bytes(b"module c")
    assert module_bytes(tmp_path, "kernel/b.ko") == b"module b"
    assert module_bytes(tmp_path, "kernel/c.ko") == b"module c"


@pytest.fixture
def zstd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRun:
    """A program that is there and knows how to unpack one driver."""
    plain = tmp_path / "kernel/d.ko"
    plain.parent.mkdir()
    fake = FakeRun()
    words = ("zstd", "-q", "-d", "-f", "-o", plain, plain.with_name("d.ko.zst"))
    fake.on(*words, then=lambda: plain.write_bytes(b"module d"))  # type: ignore[arg-type]  # paths stay paths
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    return fake


def test_a_driver_that_zstd_packed_is_unpacked_and_nothing_is_left(tmp_path: Path, zstd: FakeRun) -> None:
    assert module_bytes(tmp_path, "kernel/d.ko", zstd) == b"module d"
    assert len(zstd.calls) == 1
    assert list((tmp_path / "kernel").iterdir()) == []


def test_a_host_without_zstd_is_told_how_to_have_it(
    tmp_path: Path, zstd: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(HostError, match="packed with zstd") as caught:
        module_bytes(tmp_path, "kernel/d.ko", zstd)
    assert "lab setup --with-deps" in caught.value.remedy
    assert "zstd" in host_packages.PACKAGES
    assert zstd.calls == []


def test_an_archive_is_padded_ended_and_has_no_time_in_it() -> None:
    data = cpio.archive([cpio.Entry("bin", cpio.S_IFDIR | 0o755), cpio.Entry("bin/a", cpio.S_IFREG | 0o755, b"12345")])
    assert len(data) % 4 == 0
    assert data.startswith(b"070701")
    fields = [int(data[6 + 8 * i : 14 + 8 * i], 16) for i in range(13)]
    assert fields[1] == 0o040755
    assert fields[5] == 0, "the time of change"
    second = data.index(b"070701", 6)
    assert second % 4 == 0
    assert int(data[second + 54 : second + 62], 16) == 5, "the length of the data"
    assert b"TRAILER!!!\0" in data
