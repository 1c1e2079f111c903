"""`vdiskmanager-qemu`: output, exit status, files, with real `qemu-img`."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from needs import posix_modes

from harness.system import process_identity
from harness.vmrun_qemu.disks import chains, images
from harness.vmrun_qemu.vdiskmanager import main, parse_size
from harness.vmrun_qemu.vmfiles import lock_files

needs_qemu_img = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str]:
    code = main([str(word) for word in words])
    return code, capsys.readouterr().out


def create(capsys: pytest.CaptureFixture[str], disk: Path, kind: str = "1", size: str = "3GB") -> tuple[int, str]:
    return run(capsys, "-c", "-s", size, "-a", "lsilogic", "-t", kind, disk)


@needs_qemu_img
@pytest.mark.parametrize(
    ("kind", "create_type", "mib", "files"),
    [
        ("0", "monolithicSparse", 3072, {"d.vmdk"}),
        ("1", "twoGbMaxExtentSparse", 3072, {"d.vmdk", "d-s001.vmdk", "d-s002.vmdk"}),
        ("2", "monolithicFlat", 16, {"d.vmdk", "d-flat.vmdk"}),
        ("3", "twoGbMaxExtentFlat", 2056, {"d.vmdk", "d-f001.vmdk", "d-f002.vmdk"}),
    ],
)
def test_each_type_is_a_real_vmdk(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str, create_type: str, mib: int, files: set[str]
) -> None:
    disk = tmp_path / "d.vmdk"
    assert create(capsys, disk, kind, f"{mib}MB") == (0, f"Creating disk '{disk}'\nVirtual disk creation successful.\n")
    assert {file.name for file in tmp_path.iterdir()} == files
    assert images.create_type(disk) == create_type
    assert images.virtual_size(disk, "") == mib << 20
    taken = sum(file.stat().st_blocks * 512 for file in tmp_path.iterdir())
    assert taken >= mib << 20 if create_type.endswith("Flat") else taken < 1 << 20
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


@posix_modes
def test_what_fails_half_way_leaves_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, programs = tmp_path / "vm", tmp_path / "programs"
    for directory in (folder, programs):
        directory.mkdir()
    script = f"""#!/bin/sh
cd {folder} && touch d.vmdk d-s001.vmdk d-s002.vmdk other.vmdk
echo 'qemu-img: d-s003.vmdk: No space left on device'
exit 1
"""
    for name in ("qemu-system-x86_64", "qemu-img"):
        (programs / name).write_text(script, encoding="utf-8")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("VMRUN_QEMU_BIN", str(programs / "qemu-system-x86_64"))
    code, out = create(capsys, folder / "d.vmdk")
    assert code == 1
    full = "There is not enough space in the file system for the selected operation (0x8)."
    assert out.endswith(f"Failed to create disk: {full}\n")
    assert [file.name for file in folder.iterdir()] == ["other.vmdk"]


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
    ("text", "size"),
    [("40960M", 40 << 30), ("40G", 40 << 30), ("2048K", 2 << 20), ("64m", 64 << 20), ("1T", 1 << 40)],
)
def test_a_unit_may_be_one_letter(text: str, size: int) -> None:
    assert parse_size(text) == size


@needs_qemu_img
def test_packers_command_line_creates_a_disk(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    disk = tmp_path / "d.vmdk"
    assert create(capsys, disk, size="64M")[0] == 0
    assert images.virtual_size(disk, "") == 64 << 20


@pytest.mark.parametrize(
    "words", [[], ["-c"], ["-c", "-r", "a", "b"], ["-z", "a"], ["a"], ["-c", "a", "b"], ["-s"], ["-q"]]
)
def test_a_command_line_that_makes_no_sense_gets_the_usage(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    code, out = run(capsys, *words)
    assert code == 1
    assert "Usage: vmware-vdiskmanager OPTIONS <disk-name> | <mount-point>" in out


@needs_qemu_img
def test_expand_keeps_data_and_type(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    disk = tmp_path / "d.vmdk"
    create(capsys, disk, size="16MB")
    write = "write -P 0x5a 1M 64k"
    subprocess.run(["qemu-io", "-f", "vmdk", "-c", write, str(disk)], check=True, capture_output=True, timeout=30)
    code, out = run(capsys, "-x", "3GB", disk)
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
    assert run(capsys, "-x", "3GB", disk) == (1, refused)


def written(disk: Path, pattern: int) -> None:
    qemu_io(disk, f"write -P {pattern} 1M 64k")


def holds(disk: Path, pattern: int) -> bool:
    return "verification failed" not in qemu_io(disk, f"read -P {pattern} 1M 64k")


def qemu_io(disk: Path, command: str) -> str:
    argv = ["qemu-io", "-f", "vmdk", "-c", command, str(disk)]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout


@needs_qemu_img
@pytest.mark.parametrize("source", "0123")
@pytest.mark.parametrize("target", "0123")
def test_each_type_is_converted_into_each(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, source: str, target: str
) -> None:
    disk, copy = tmp_path / "d.vmdk", tmp_path / "copy.vmdk"
    create(capsys, disk, source, "16MB")
    written(disk, 7)
    assert run(capsys, "-r", disk, "-t", target, copy) == (
        0,
        f"Creating disk '{copy}'\n  Convert: 100% done.\nVirtual disk conversion successful.\n",
    )
    assert images.create_type(copy) == images.SUBFORMATS[target]
    assert holds(copy, 7)
    assert subprocess.run(["qemu-img", "check", "-q", str(copy)], check=False, timeout=30).returncode in (0, 63)


@needs_qemu_img
@pytest.mark.parametrize("kind", "0123")
def test_a_disk_is_renamed_with_all_its_files(capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str) -> None:
    disk, named = tmp_path / "d.vmdk", tmp_path / "n.vmdk"
    create(capsys, disk, kind, "16MB")
    written(disk, 7)
    chains.make_overlay(disk, tmp_path / "d-000001.vmdk")
    assert run(capsys, "-n", disk, named) == (0, "  Rename: 100% done.\nDisk rename completed successfully.\n")
    assert not [file for file in tmp_path.iterdir() if file.name in ("d.vmdk", "d-s001.vmdk", "d-flat.vmdk")]
    assert b"d.vmdk" not in named.read_bytes()[:4096]
    assert holds(named, 7)
    assert holds(tmp_path / "d-000001.vmdk", 7), "its overlay finds it"
    (tmp_path / "else").mkdir()
    away = tmp_path / "else" / "over.vmdk"
    assert run(capsys, "-n", tmp_path / "d-000001.vmdk", away)[0] == 0
    assert run(capsys, "-e", away) == (0, "Disk chain is consistent.\n")
    assert holds(away, 7)


@needs_qemu_img
def test_a_file_that_is_not_in_the_disks_directory_is_left_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    disk, elsewhere = tmp_path / "vm" / "d.vmdk", tmp_path / "raw.img"
    disk.parent.mkdir()
    elsewhere.write_bytes(bytes(16 << 20))
    create(capsys, disk, "2", "16MB")
    text = disk.read_text(encoding="utf-8").replace('"d-flat.vmdk"', f'"{elsewhere}"')
    disk.write_text(text, encoding="utf-8")
    named = tmp_path / "vm" / "n.vmdk"
    assert run(capsys, "-n", disk, named)[0] == 0
    assert elsewhere.exists()
    assert run(capsys, "-U", named) == (0, "")
    assert elsewhere.exists()
    assert [file.name for file in disk.parent.iterdir()] == ["d-flat.vmdk"]


@needs_qemu_img
def test_an_extent_that_is_there_is_not_overwritten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "d-s001.vmdk").write_text("precious", encoding="utf-8")
    assert create(capsys, tmp_path / "d.vmdk") == (1, "Failed to create disk: The file already exists (0xc).\n")
    assert [file.read_text(encoding="utf-8") for file in tmp_path.iterdir()] == ["precious"]


@needs_qemu_img
@pytest.mark.parametrize("adapter", ["ide", "buslogic", "lsilogic"])
def test_a_disk_keeps_its_adapter(capsys: pytest.CaptureFixture[str], tmp_path: Path, adapter: str) -> None:
    disk, copy, whole = tmp_path / "d.vmdk", tmp_path / "c.vmdk", tmp_path / "w.vmdk"
    assert run(capsys, "-c", "-s", "16MB", "-a", adapter, "-t", "1", disk)[0] == 0
    assert run(capsys, "-x", "32MB", disk)[0] == 0
    assert run(capsys, "-r", disk, "-t", "0", copy)[0] == 0
    chains.copy_chain(disk, whole)
    assert [images.adapter(one) for one in (disk, copy, whole)] == [adapter] * 3


@needs_qemu_img
def test_what_the_system_refuses_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    create(capsys, tmp_path / "d.vmdk", "0", "16MB")
    monkeypatch.setattr(Path, "unlink", refuse)
    full = "There is not enough space in the file system for the selected operation\n"
    assert run(capsys, "-U", tmp_path / "d.vmdk") == (1, full)


@needs_qemu_img
def test_a_broken_chain_is_reported(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    disk, over = tmp_path / "d.vmdk", tmp_path / "d-000001.vmdk"
    create(capsys, disk, "0", "16MB")
    chains.make_overlay(disk, over)
    written(disk, 7)
    code, out = run(capsys, "-e", over)
    assert code == 1
    assert out.startswith("Failed to check disk chain: The parent virtual disk has been modified since the child")
    for image in (disk, over):
        assert run(capsys, "-x", "32MB", image)[1].endswith("One of the parameters supplied is invalid (0x3e80).\n")
    disk.unlink()
    assert run(capsys, "-e", over)[1].startswith("Failed to check disk chain: The parent of this virtual disk could")


@needs_qemu_img
def test_an_operation_with_nothing_to_do_reports_that(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    disk = tmp_path / "d.vmdk"
    create(capsys, disk, "1", "16MB")
    before = disk.read_bytes()
    for option, target in (("-d", disk), ("-k", disk), ("-D", disk), ("-p", tmp_path)):
        code, out = run(capsys, option, target)
        assert (code, "There was nothing to do" in out) == (0, True), option
        assert run(capsys, "-q", option, target) == (0, "")
        assert run(capsys, option, tmp_path / "none")[1].startswith("Failed to "), option
    assert run(capsys, "-R", disk) == (0, f"No errors were found on the virtual disk, '{disk}'.\n")
    assert disk.read_bytes() == before
    assert run(capsys, "-U", disk) == (0, "")
    assert list(tmp_path.iterdir()) == []


@needs_qemu_img
def test_a_disk_in_use_is_left_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    disk = tmp_path / "d.vmdk"
    create(capsys, disk, "0", "16MB")
    lock_files.take([disk], process_identity.identity(os.getpid()))
    attempts: list[list[str | Path]] = [["-x", "32MB", disk], ["-n", disk, tmp_path / "n.vmdk"], ["-U", disk]]
    attempts += [["-d", disk], ["-R", disk]]
    for words in attempts:
        code, out = run(capsys, *words)
        assert (code, out.endswith("Failed to lock the file (0x4009).\n")) == (1, True), words
    assert disk.is_file()


@needs_qemu_img
def test_room_that_a_flat_disk_cannot_have(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake_posix_fallocate(descriptor: int, start: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "posix_fallocate", fake_posix_fallocate, raising=False)
    full = "There is not enough space in the file system for the selected operation (0x8).\n"
    assert create(capsys, tmp_path / "d.vmdk", "2", "16MB")[1].endswith(f"Failed to create disk: {full}")
    assert list(tmp_path.iterdir()) == []


@needs_qemu_img
def test_what_is_no_disk_is_not_converted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = tmp_path / "text.vmdk"
    text.write_text("hello", encoding="utf-8")
    refused = "Failed to convert disk: The specified file is not a virtual disk (0x3ebf).\n"
    assert run(capsys, "-r", text, "-t", "0", tmp_path / "x.vmdk") == (1, refused)
    assert not (tmp_path / "x.vmdk").exists()
