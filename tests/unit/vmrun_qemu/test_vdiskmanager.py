"""`vdiskmanager-qemu`: words, exit status, files. Real `qemu-img`, small disks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.vmrun_qemu import images
from harness.vmrun_qemu.vdiskmanager import main, parse_size

needs_qemu_img = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")


def said(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str]:
    code = main([str(word) for word in words])
    return code, capsys.readouterr().out


def create(capsys: pytest.CaptureFixture[str], disk: Path, kind: str = "1", size: str = "3GB") -> tuple[int, str]:
    return said(capsys, "-c", "-s", size, "-a", "lsilogic", "-t", kind, disk)


@needs_qemu_img
@pytest.mark.parametrize(
    ("kind", "create_type", "files"),
    [
        ("0", "monolithicSparse", {"d.vmdk"}),
        ("1", "twoGbMaxExtentSparse", {"d.vmdk", "d-s001.vmdk", "d-s002.vmdk"}),
        ("2", "monolithicFlat", {"d.vmdk", "d-flat.vmdk"}),
        ("3", "twoGbMaxExtentFlat", {"d.vmdk", "d-f001.vmdk", "d-f002.vmdk"}),
    ],
)
def test_each_type_is_a_real_vmdk(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str, create_type: str, files: set[str]
) -> None:
    disk = tmp_path / "d.vmdk"
    assert create(capsys, disk, kind) == (0, f"Creating disk '{disk}'\nVirtual disk creation successful.\n")
    assert {file.name for file in tmp_path.iterdir()} == files
    assert images.create_type(disk) == create_type
    assert images.virtual_size(disk, "") == 3 << 30
    assert sum(file.stat().st_blocks * 512 for file in tmp_path.iterdir()) < 1 << 20
    descriptor = disk.read_bytes()
    assert b'ddb.adapterType = "lsilogic"' in descriptor


@needs_qemu_img
def test_a_disk_that_exists_is_refused_and_kept(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    disk = tmp_path / "d.vmdk"
    disk.write_text("precious", encoding="utf-8")
    assert create(capsys, disk) == (1, "Failed to create disk: The file already exists (0xc).\n")
    assert disk.read_text(encoding="utf-8") == "precious"
    nowhere = tmp_path / "none" / "d.vmdk"
    assert create(capsys, nowhere) == (1, "Failed to create disk: A file was not found (0x4).\n")


@needs_qemu_img
def test_what_fails_half_way_leaves_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake_run(argv: list[str], timeout_s: float) -> tuple[int, str]:
        for name in ("d.vmdk", "d-s001.vmdk", "d-s002.vmdk", "other.vmdk"):
            (tmp_path / name).touch()
        return 1, "qemu-img: d-s003.vmdk: No space left on device\n"

    monkeypatch.setattr(images, "run", fake_run)
    code, out = create(capsys, tmp_path / "d.vmdk")
    assert code == 1
    full = "There is not enough space in the file system for the selected operation (0x8)."
    assert out.endswith(f"Failed to create disk: {full}\n")
    assert [file.name for file in tmp_path.iterdir()] == ["other.vmdk"]


@pytest.mark.parametrize("size", ["40GBx", "", "0", "1", "9000GB", "-5GB", "4 GB"])
def test_a_size_that_no_disk_has_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, size: str) -> None:
    refused = "Failed to create disk: One of the parameters supplied is invalid (0x3e80).\n"
    assert create(capsys, tmp_path / "d.vmdk", size=size) == (1, refused)
    assert list(tmp_path.iterdir()) == []


def test_sizes() -> None:
    assert parse_size("40GB") == 40 << 30
    assert parse_size("512mb") == 512 << 20
    assert parse_size("2048") == 1 << 20


@pytest.mark.parametrize(
    "words", [[], ["-c"], ["-c", "-r", "a", "b"], ["-z", "a"], ["a"], ["-c", "a", "b"], ["-s"], ["-q"]]
)
def test_a_command_line_that_makes_no_sense_gets_the_usage(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    code, out = said(capsys, *words)
    assert code == 1
    assert "Usage: vmware-vdiskmanager OPTIONS <disk-name> | <mount-point>" in out


@needs_qemu_img
def test_expand_keeps_data_and_type(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    disk = tmp_path / "d.vmdk"
    create(capsys, disk, size="16MB")
    write = "write -P 0x5a 1M 64k"
    subprocess.run(["qemu-io", "-f", "vmdk", "-c", write, str(disk)], check=True, capture_output=True, timeout=30)
    code, out = said(capsys, "-x", "3GB", disk)
    assert code == 0
    assert out.startswith("  Grow: 100% done.\nDisk expansion completed successfully.\n\nWARNING: ")
    assert images.virtual_size(disk, "") == 3 << 30
    assert images.create_type(disk) == "twoGbMaxExtentSparse"
    read = "read -P 0x5a 1M 64k"
    done = subprocess.run(
        ["qemu-io", "-f", "vmdk", "-c", read, str(disk)], check=True, capture_output=True, text=True, timeout=30
    )
    assert "verification failed" not in done.stdout
    assert {file.name for file in tmp_path.iterdir()} == {"d.vmdk", "d-s001.vmdk", "d-s002.vmdk"}
    refused = f"Failed to expand the disk '{disk}': One of the parameters supplied is invalid (0x3e80).\n"
    assert said(capsys, "-x", "3GB", disk) == (1, refused)


@needs_qemu_img
def test_convert_rename_check_and_delete(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    disk, split, named = tmp_path / "d.vmdk", tmp_path / "s.vmdk", tmp_path / "n.vmdk"
    create(capsys, disk, "0", "16MB")
    assert said(capsys, "-r", disk, "-t", "1", split) == (
        0,
        f"Creating disk '{split}'\n  Convert: 100% done.\nVirtual disk conversion successful.\n",
    )
    assert said(capsys, "-n", split, named)[0] == 0
    assert said(capsys, "-e", named) == (0, "Disk chain is consistent.\n")
    assert said(capsys, "-d", named)[0] == 0
    assert said(capsys, "-U", named)[0] == 0
    assert [file.name for file in tmp_path.iterdir()] == ["d.vmdk"]


@needs_qemu_img
def test_what_is_no_disk_is_not_converted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = tmp_path / "text.vmdk"
    text.write_text("hello", encoding="utf-8")
    refused = "Failed to convert disk: The specified file is not a virtual disk (0x3ebf).\n"
    assert said(capsys, "-r", text, "-t", "0", tmp_path / "x.vmdk") == (1, refused)
    assert not (tmp_path / "x.vmdk").exists()
