"""Files and directories of a real guest, and copies in both directions."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from guest_lab import USER, RealGuest

NOT_FOUND = (255, "Error: A file was not found\n")
NOT_A_FILE = (255, "Error: The object is not a file\n")
NO_PERMISSION = (255, "Error: Authentication failure or insufficient permissions in guest operating system\n")
THERE_ALREADY = (255, "Error: The file already exists\n")


def test_what_exists_is_reported_by_text_and_status(real_guest: RealGuest) -> None:
    assert real_guest("fileExistsInGuest", "/etc/passwd") == (0, "The file exists.\n")
    assert real_guest("fileExistsInGuest", "/etc") == (255, "The file does not exist.\n")
    assert real_guest("directoryExistsInGuest", "/etc") == (0, "The directory exists.\n")
    assert real_guest("directoryExistsInGuest", "/etc/passwd") == (255, "The directory does not exist.\n")


def test_directories_are_made_listed_and_removed(real_guest: RealGuest) -> None:
    real_guest.ok("createDirectoryInGuest", "/tmp/some dir/below")
    assert real_guest("createDirectoryInGuest", "/tmp/some dir/below") == THERE_ALREADY
    real_guest.root("touch '/tmp/some dir/.hidden' '/tmp/some dir/ü ber'; ln -s /none '/tmp/some dir/dangling'")
    listed = real_guest.ok("listDirectoryInGuest", "/tmp/some dir").splitlines()
    assert listed == ["Directory list: 4", ".hidden", "below", "dangling", "ü ber"]
    real_guest.ok("deleteDirectoryInGuest", "/tmp/some dir")
    assert real_guest("listDirectoryInGuest", "/tmp/some dir") == NOT_FOUND
    assert real_guest("listDirectoryInGuest", "/etc/passwd") == (255, "Error: The object is not a directory\n")
    assert real_guest("deleteDirectoryInGuest", "/tmp/some dir") == NOT_FOUND


def test_files_are_renamed_and_deleted(real_guest: RealGuest) -> None:
    first = real_guest.ok("createTempfileInGuest").strip()
    assert real_guest.root(f"stat -c '%U %s' {first}").split() == [USER, "0"]
    second = first + " renamed"
    real_guest.ok("renameFileInGuest", first, second)
    assert real_guest("renameFileInGuest", first, second) == NOT_FOUND
    real_guest.root(f"touch {first}")
    assert real_guest("renameFileInGuest", second, first) == THERE_ALREADY
    real_guest.ok("deleteFileInGuest", second)
    assert real_guest("deleteFileInGuest", second) == NOT_FOUND
    assert real_guest("deleteFileInGuest", "/tmp") == NOT_A_FILE


def test_the_guests_rights_count(real_guest: RealGuest) -> None:
    assert real_guest("createDirectoryInGuest", "/root/mine") == NO_PERMISSION
    assert real_guest("deleteFileInGuest", "/etc/passwd") == NO_PERMISSION
    assert real_guest("listDirectoryInGuest", "/root") == NO_PERMISSION
    assert real_guest("fileExistsInGuest", "/root/.bashrc") == (255, "The file does not exist.\n")


@pytest.mark.parametrize("size", [0, 1, 3 * (1 << 20) + 17])
def test_a_file_comes_back_as_it_went(real_guest: RealGuest, tmp_path: Path, size: int) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(os.urandom(size))
    real_guest.ok("CopyFileFromHostToGuest", source, "/tmp/copied file")
    real_guest.ok("CopyFileFromGuestToHost", "/tmp/copied file", back)
    assert back.read_bytes() == source.read_bytes()
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("source", "back")] == []


def test_a_copy_overwrites_and_reaches_where_tools_may_write(real_guest: RealGuest, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("short", encoding="utf-8")
    real_guest.root("echo something much longer > /etc/copied; chmod 640 /etc/copied")
    real_guest.ok("copyFileFromHostToGuest", source, "/etc/copied")
    assert real_guest.root("stat -c '%U %a' /etc/copied; cat /etc/copied").split() == ["root", "640", "short"]
    real_guest.ok("copyFileFromHostToGuest", source, "/root/new")
    assert real_guest.root("stat -c %U /root/new").strip() == USER


def test_a_copy_that_cannot_be_leaves_nothing(real_guest: RealGuest, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("x", encoding="utf-8")
    assert real_guest("CopyFileFromHostToGuest", tmp_path / "none", "/tmp/none") == NOT_FOUND
    assert real_guest("CopyFileFromHostToGuest", tmp_path, "/tmp/none") == NOT_A_FILE
    assert real_guest("CopyFileFromHostToGuest", source, "/tmp") == NOT_A_FILE
    assert real_guest("CopyFileFromHostToGuest", source, "/tmp/no such/dir") == NOT_FOUND
    assert real_guest("CopyFileFromGuestToHost", "/tmp/none", tmp_path / "back") == NOT_FOUND
    assert real_guest("CopyFileFromGuestToHost", "/tmp", tmp_path / "back") == NOT_A_FILE
    assert real_guest("CopyFileFromGuestToHost", "/etc/passwd", tmp_path) == NOT_A_FILE
    assert real_guest("CopyFileFromGuestToHost", "/etc/passwd", tmp_path / "no" / "dir")[0] == 255
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
