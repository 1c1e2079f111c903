"""What only this user may read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.private import keep_file_private, make_private_directory

pytestmark = pytest.mark.skipif(os.name == "nt", reason="rights are access lists there, and stay as they are")


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    old = os.umask(0)
    yield
    os.umask(old)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_new_directories_are_private_and_existing_ones_keep_their_mode(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    make_private_directory(shared / "lab" / "vms")
    make_private_directory(shared)
    assert (mode(shared), mode(shared / "lab"), mode(shared / "lab" / "vms")) == (0o755, 0o700, 0o700)


def test_a_file_in_the_place_of_a_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        make_private_directory(tmp_path / "file")


def test_a_file_is_taken_away_from_others(tmp_path: Path) -> None:
    disk = tmp_path / "m.vmdk"
    disk.touch(mode=0o644)
    keep_file_private(disk)
    assert mode(disk) == 0o600


def test_a_stricter_mode_a_link_and_no_file_stay(tmp_path: Path) -> None:
    strict, linked = tmp_path / "strict", tmp_path / "linked"
    strict.touch(mode=0o400)
    linked.touch(mode=0o644)
    (tmp_path / "link").symlink_to(linked)
    for name in ("strict", "link", "nothing"):
        keep_file_private(tmp_path / name)
    assert (mode(strict), mode(linked)) == (0o400, 0o644)
