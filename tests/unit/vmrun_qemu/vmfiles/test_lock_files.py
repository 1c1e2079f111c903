"""Lock directories: ownership, stale locks, races."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from harness.system import process_identity
from harness.system.process_identity import Identity
from harness.vmrun_qemu.vmfiles import lock_files

DEAD = "vmrun-qemu 999999999-1.5(vmrun-qemu)\n"
GONE: Identity = {"pid": 999999999, "created": 1.5}


def me() -> Identity:
    return process_identity.identity(os.getpid())


def test_a_record_of_a_dead_owner_removes_no_lock_of_another(tmp_path: Path) -> None:
    """A supervisor was killed; then another home or Workstation powered on the VM."""
    taken = lock_files.take([tmp_path / "a.vmx"], me())
    theirs = tmp_path / "a.vmdk.lck"
    theirs.mkdir()
    (theirs / "M12345.lck").write_text("winhost 1234-13245678(vmware.exe)", encoding="utf-8")
    lock_files.release([*taken, theirs], GONE)
    assert lock_files.is_held(tmp_path / "a.vmx")
    assert lock_files.is_held(tmp_path / "a.vmdk")
    (theirs / "M54321.lck").write_text(DEAD, encoding="utf-8")
    lock_files.release([theirs], GONE)
    assert [file.name for file in theirs.iterdir()] == ["M12345.lck"]
    lock_files.release(taken, me())
    assert not taken[0].exists()


def test_of_two_processes_that_find_a_stale_lock_one_gets_it(tmp_path: Path) -> None:
    folder = tmp_path / "a.vmx.lck"
    folder.mkdir()
    (folder / "M00001.lck").write_text(DEAD, encoding="utf-8")
    won: list[Path] = []

    def other_is_faster(found: Path) -> list[Path] | None:
        stale = lock_files.stale_locks(found)
        won.extend(lock_files.take([tmp_path / "a.vmx"], me()))
        return stale

    with pytest.raises(FileExistsError) as caught:
        lock_files.take([tmp_path / "a.vmx"], me(), other_is_faster)
    assert caught.value.filename == str(folder)
    assert won == [folder]
    assert lock_files.is_held(tmp_path / "a.vmx")
    (lock,) = folder.iterdir()
    assert process_identity.alive({"pid": os.getpid(), "created": me()["created"]})
    assert f"{os.getpid()}-" in lock.read_text(encoding="utf-8")


def test_a_lock_that_is_released_at_this_moment_is_free(tmp_path: Path) -> None:
    (folder,) = lock_files.take([tmp_path / "a.vmx"], me())

    def it_goes(found: Path) -> list[Path] | None:
        lock_files.release([found], me())
        return lock_files.stale_locks(found)

    assert lock_files.take([tmp_path / "a.vmx"], me(), it_goes) == [folder]
    assert len(list(folder.iterdir())) == 1


def test_a_lock_that_cannot_be_read_counts_as_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a.vmx.lck"
    folder.mkdir()
    lock = folder / "M00001.lck"
    lock.write_text(DEAD, encoding="utf-8")

    def denied(path: Path, **_: object) -> str:
        raise PermissionError(13, "in use", str(path))

    monkeypatch.setattr(Path, "read_text", denied)
    assert lock_files.is_held(tmp_path / "a.vmx")


def test_locks_are_taken_together_or_not_at_all(tmp_path: Path) -> None:
    me = process_identity.identity(os.getpid())
    one, two = tmp_path / "a.vmx", tmp_path / "a.vmdk"
    taken = lock_files.take([two], me)
    assert lock_files.is_held(two)
    with pytest.raises(FileExistsError):
        lock_files.take([one, two], me)
    assert not one.with_name("a.vmx.lck").exists()
    lock_files.release(taken, me)
    assert not lock_files.is_held(two)
    (lock,) = lock_files.take([one], me)
    (file,) = lock.glob("M*.lck")
    assert file.read_text(encoding="utf-8").rstrip().endswith(f"{me['pid']}-{me['created']}(vmrun-qemu)")


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("vmrun-qemu 999999999-1.5(vmrun-qemu)\n", False),
        ("winhost 1234-13245678(vmware.exe)", True),
        ("", True),
    ],
)
def test_only_a_lock_of_our_own_that_died_is_stale(tmp_path: Path, text: str, *, held: bool) -> None:
    folder = tmp_path / "a.vmx.lck"
    folder.mkdir()
    assert lock_files.is_held(tmp_path / "a.vmx"), "an empty directory may be about to be filled"
    (folder / "M00001.lck").write_text(text, encoding="utf-8")
    assert lock_files.is_held(tmp_path / "a.vmx") is held


def test_what_a_crash_left_empty_is_stale_after_a_while(tmp_path: Path) -> None:
    folder = tmp_path / "a.vmx.lck"
    folder.mkdir()
    os.utime(folder, (1, 1))
    assert not lock_files.is_held(tmp_path / "a.vmx")
    lock = folder / "M00001.lck"
    lock.touch()
    assert lock_files.is_held(tmp_path / "a.vmx")
    os.utime(lock, (1, 1))
    assert not lock_files.is_held(tmp_path / "a.vmx")


def test_a_lock_that_cannot_be_written_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fake_write_text(path: Path, *words: object, **more: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "write_text", fake_write_text)
    with pytest.raises(OSError, match="full"):
        lock_files.take([tmp_path / "a.vmx", tmp_path / "a.vmdk"], process_identity.identity(os.getpid()))
    assert list(tmp_path.iterdir()) == []
