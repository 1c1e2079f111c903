"""A stopped guest's files out of its VMDK: a real ext4 in a real VMDK, made here without root."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from harness.core.deadline import Deadline
from harness.lab.evidence.offline_disk import partition_starts, read_files
from harness.vmware.vmdk import DiskError

MIB = 1 << 20
MKE2FS = shutil.which("mke2fs") or shutil.which("mke2fs", path="/sbin:/usr/sbin")
needs_tools = pytest.mark.skipif(
    MKE2FS is None or shutil.which("qemu-img") is None, reason="a disk is made with mke2fs and qemu-img"
)


def mbr(*entries: tuple[int, int]) -> bytes:
    """A boot record with partitions of (type, first sector)."""
    table = b"".join(struct.pack("<4xB3xII", kind, start, 2048) for kind, start in entries)
    return bytes(446) + table.ljust(64, b"\0") + b"\x55\xaa"


def make_vmdk(folder: Path, head: bytes, start: int) -> Path:
    tree = folder / "tree"
    (tree / "var/log/apt").mkdir(parents=True)
    (tree / "var/log/cloud-init.log").write_text("it broke\n")
    (tree / "var/log/apt/term.log").write_text("dpkg\n")
    raw = folder / "raw"
    raw.write_bytes(head)
    with raw.open("r+b") as image:
        image.truncate(start + 8 * MIB)
    assert MKE2FS
    options = ("-q", "-F", "-t", "ext4", "-d", str(tree), "-E", f"offset={start}")
    subprocess.run([MKE2FS, *options, str(raw), "8192k"], check=True, capture_output=True)
    vmdk = folder / "guest.vmdk"
    option = ("-o", "subformat=twoGbMaxExtentSparse")
    subprocess.run(["qemu-img", "convert", "-O", "vmdk", *option, str(raw), str(vmdk)], check=True)
    return vmdk


def gpt(start: int) -> bytes:
    head = mbr((0xEE, 1)) + (b"EFI PART" + bytes(64) + struct.pack("<QII", 2, 4, 128)).ljust(512, b"\0")
    entry = bytes(16) + bytes(16) + struct.pack("<QQ", start // 512, start // 512 + 100)
    return head + entry.ljust(128, b"\0") + bytes(384)


@needs_tools
@pytest.mark.parametrize("kind", ["mbr", "gpt"])
def test_files_are_read_and_nothing_else_is_left(tmp_path: Path, kind: str) -> None:
    head = mbr((0x83, 2048)) if kind == "mbr" else gpt(MIB)
    vmdk = make_vmdk(tmp_path, head, MIB)
    wanted = ["/var/log/cloud-init.log", "/var/log/apt/term.log", "/var/log/none.log"]
    found = read_files(vmdk, wanted, tmp_path / "out", Deadline(60))
    assert {path: copy.read_text() for path, copy in found.items()} == {
        "/var/log/cloud-init.log": "it broke\n",
        "/var/log/apt/term.log": "dpkg\n",
    }
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(p.name for p in found.values())


@needs_tools
def test_a_blank_disk_says_so(tmp_path: Path) -> None:
    raw = tmp_path / "blank.vmdk"
    subprocess.run(["qemu-img", "create", "-q", "-f", "vmdk", str(raw), "16M"], check=True)
    with pytest.raises(DiskError, match="has none of the files"):
        read_files(raw, ["/var/log/x"], tmp_path / "out", Deadline(60))
    assert list((tmp_path / "out").iterdir()) == []


@needs_tools
def test_a_damaged_disk_is_reported_with_the_output_of_the_tool(tmp_path: Path) -> None:
    (tmp_path / "bad.vmdk").write_bytes(b"KDMV" + bytes(600))
    with pytest.raises(DiskError, match="qemu-img cannot read") as caught:
        read_files(tmp_path / "bad.vmdk", ["/var/log/x"], tmp_path / "out", Deadline(60))
    assert caught.value.detail


def test_without_the_tools_it_is_not_available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(DiskError, match="not available: qemu-img and debugfs not found") as caught:
        read_files(tmp_path / "x.vmdk", ["/x"], tmp_path / "out", Deadline(5))
    assert "apt-get install" in caught.value.remedy


@pytest.mark.parametrize("head", [b"", b"short", bytes(512)])
def test_what_has_no_boot_record_has_no_partitions(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "raw").write_bytes(head)
    assert list(partition_starts(tmp_path / "raw")) == []


def test_only_linux_partitions_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(mbr((0x07, 63), (0x83, 2048), (0x82, 9000), (0x83, 4096)))
    assert list(partition_starts(tmp_path / "raw")) == [MIB, 2 * MIB]


def test_a_disk_that_ends_inside_its_partition_table_has_none(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(mbr((0xEE, 1))[:512] + b"EFI PART")
    assert list(partition_starts(tmp_path / "raw")) == []
