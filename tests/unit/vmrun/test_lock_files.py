from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.vmrun.lock_files import Lock, locks_beside

from .samples import locked


@pytest.fixture
def vmx(tmp_path: Path) -> Path:
    return tmp_path / "a.vmx"


def test_the_owner_of_a_lock_is_named(vmx: Path) -> None:
    locked(vmx, f"\x01\x00host {os.getpid()}-133712345678(vmware.exe)\x00\x00")
    (lock,) = locks_beside(vmx)
    assert lock == Lock("a.vmx.lck", os.getpid(), "vmware.exe")
    assert str(lock) == f"a.vmx.lck of vmware.exe, process {os.getpid()}"
    assert not lock.stale


def test_a_lock_is_stale_if_its_owner_does_not_exist(vmx: Path) -> None:
    locked(vmx, "4194999-1(vmware-vmx)")
    (lock,) = locks_beside(vmx)
    assert lock.stale
    assert str(lock) == "a.vmx.lck of vmware-vmx, process 4194999, which is gone"
    assert not Lock("a.vmx.lck").stale


@pytest.mark.parametrize("text", ["", "no owner", "12-(x)", "()", "1-2(\x01)"])
def test_a_lock_without_a_readable_owner_has_its_name(vmx: Path, text: str) -> None:
    locked(vmx, text)
    (vmx.parent / "disk.vmdk.lck").write_bytes(b"a file, not a directory")
    assert locks_beside(vmx) == (Lock("a.vmx.lck"), Lock("disk.vmdk.lck"))
    assert [str(lock) for lock in locks_beside(vmx)] == ["a.vmx.lck", "disk.vmdk.lck"]


def test_a_directory_that_does_not_exist_has_no_locks(tmp_path: Path) -> None:
    assert locks_beside(tmp_path / "nowhere" / "a.vmx") == ()
    assert locks_beside(Path("nowhere") / "a.vmx") == ()


def test_a_lock_of_a_process_number_that_no_system_has_is_stale() -> None:
    assert Lock("machine.vmx.lck", 9_999_999_999, "vmware-vmx").stale
