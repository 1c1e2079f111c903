from __future__ import annotations

from pathlib import Path

import pytest
from needs import links

from harness.vmware.lock_directory import holds_only_locks, remove_lock_directory


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    """Return a directory with a lock, one that is being made, and the place of a number."""
    directory = tmp_path / "a.vmx.lck"
    (directory / "D00003.lck").mkdir(parents=True)
    for name in ("M00001.lck", "E00002.lck"):
        (directory / name).write_bytes(b"x" * 512)
    return directory


def test_locks_are_deleted_with_their_directory(locks: Path) -> None:
    assert holds_only_locks(locks)
    remove_lock_directory(locks)
    assert not locks.exists()


@pytest.mark.parametrize("name", ["notes.txt", "M1.lck", "X00001.lck", "M00001.lck.bak"])
def test_with_another_file_nothing_is_deleted(locks: Path, name: str) -> None:
    (locks / name).touch()
    assert not holds_only_locks(locks)
    with pytest.raises(OSError):  # noqa: PT011 - its text is the system's
        remove_lock_directory(locks)
    assert len(list(locks.iterdir())) == 4


def test_a_large_file_is_no_lock(locks: Path) -> None:
    (locks / "M00001.lck").write_bytes(b"x" * 5000)
    assert not holds_only_locks(locks)


def test_a_directory_is_a_lock_only_if_it_is_empty(locks: Path) -> None:
    (locks / "D00003.lck" / "x").touch()
    assert not holds_only_locks(locks)


def test_a_directory_that_is_gone_holds_none(tmp_path: Path) -> None:
    assert not holds_only_locks(tmp_path / "gone")


@links
def test_a_link_holds_none(locks: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(locks, target_is_directory=True)
    assert not holds_only_locks(link)
