from __future__ import annotations

import os
from pathlib import Path

import pytest
from needs import links, posix_paths

from harness.ownership.marker import (
    ForeignReason,
    conflicting_names,
    foreign_reason,
    owned_name_pattern,
    read_marker,
    write_marker,
)

OURS = [
    "m1.vmx", "m1.vmxf", "m1.vmsd", "m1.nvram", "m1.vmdk", "m1-s001.vmdk", "m1-000001.vmdk", "m1-000001-s002.vmdk",
    "m1-flat.vmdk", "m1.vmem", "m1.vmss", "m1-Snapshot3.vmsn", "vmware.log", "vmware-0.log", "serial-1.log",
    "m1.vmx.k2j_x0.tmp", "564d78e2-0fa2-9f22-1ef7-c3b8c2d3b8d5.vmem.lck", "m1-000001.vmdk.lck",
    "m1.scoreboard", "m1-0.scoreboard", "m1-39.scoreboard", "vprintproxy.log", "vprintproxy-0.log", "m1.hlog", "nvram",
    "564d78e2-0fa2-9f22-1ef7-c3b8c2d3b8d5.vmem", "vmmcores.gz", "vmmcores-1.gz", "vmware-vmx.dmp",
    "vmware-vmx-4711.dmp", "vmware-2.log", "mksSandbox.log", "m1-Snapshot1.vmem", "m1.vmsn", "m1-1a2b3c4d.scoreboard",
]  # fmt: skip
FOREIGN = ["notes.txt", "m2.vmx", "m10.vmdk", "other.vmdk", "m1.vmx.bak", "m1-s001.vmdk.copy", "m1", "backup.log",
           "test.vmx.lck", "m10.vmx.lck", "m1.lck", "m1.docx.lck", "vmware-\u0663.log", "m10.scoreboard",
           "vmware-vmx.dmp.txt", "my-vmmcores.gz", "m1-x.scoreboard", "x.vmem"]  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_a_file_of_a_hypervisor_is_ours(name: str, tmp_path: Path) -> None:
    assert owned_name_pattern("m1").fullmatch(name)
    (tmp_path / name).touch()
    assert foreign_reason(tmp_path / name, "m1", ()) is None


@pytest.mark.parametrize("name", FOREIGN)
def test_everything_else_is_foreign(name: str, tmp_path: Path) -> None:
    assert not owned_name_pattern("m1").fullmatch(name)
    (tmp_path / name).touch()
    assert foreign_reason(tmp_path / name, "m1", ()) is ForeignReason.NAME


def test_capital_letters_make_another_file_where_the_file_system_keeps_them_apart(tmp_path: Path) -> None:
    for name in ("m1.vmx", "M1.VMX", "M1.NVRAM", "VMWARE.LOG"):
        (tmp_path / name).write_text(name)
    same = (tmp_path / "m1.vmx").read_text() == "M1.VMX"
    expected = None if same else ForeignReason.NAME
    assert [foreign_reason(tmp_path / name, "m1", ()) for name in ("M1.VMX", "M1.NVRAM", "VMWARE.LOG")] == [
        expected
    ] * 3
    (tmp_path / "vmware.log").touch()
    assert foreign_reason(tmp_path / "vmware.log", "m1", ()) is (None if same else ForeignReason.SHARED_NAME)


def test_a_memory_file_is_that_of_the_uuid(tmp_path: Path) -> None:
    ours, other = "564d78e2-0fa2-9f22-1ef7-c3b8c2d3b8d5.vmem", "564d0000-0fa2-9f22-1ef7-c3b8c2d3b8d5.vmem"
    for name in (ours, other):
        (tmp_path / name).touch()
    uuid = "564d78e20fa29f221ef7c3b8c2d3b8d5"
    assert foreign_reason(tmp_path / ours, "m1", (), uuid) is None
    assert foreign_reason(tmp_path / other, "m1", (), uuid) is ForeignReason.NAME


def test_a_shared_name_is_ours_only_without_another_vm(tmp_path: Path) -> None:
    names = ("vmware.log", "serial-1.log", "564d78e2-0fa2-9f22-1ef7-c3b8c2d3b8d5.vmem.lck")
    for name in ("m1.vmx", "m1-0123abcd.vmx", *names):
        (tmp_path / name).touch()
    assert [foreign_reason(tmp_path / name, "m1", ()) for name in names] == [None] * 3
    (tmp_path / "Other.VMX").touch()
    assert [foreign_reason(tmp_path / name, "m1", ()) for name in names] == [ForeignReason.SHARED_NAME] * 3
    assert foreign_reason(tmp_path / "m1.vmx", "m1", ()) is None


def test_a_file_that_was_there_before_is_foreign_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "vmware-3.log").touch()
    assert foreign_reason(tmp_path / "vmware-3.log", "m1", ("vmware-3.log",)) is ForeignReason.EXISTED


@links
def test_a_link_is_foreign_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "treasure").touch()
    (tmp_path / "m1-s001.vmdk").symlink_to(tmp_path / "treasure")
    (tmp_path / "m1.vmx.lck").symlink_to(tmp_path, target_is_directory=True)
    assert foreign_reason(tmp_path / "m1-s001.vmdk", "m1", ()) is ForeignReason.LINK
    assert foreign_reason(tmp_path / "m1.vmx.lck", "m1", ()) is ForeignReason.LINK


def test_a_directory_with_a_name_of_ours_is_foreign_and_a_lock_is_not(tmp_path: Path) -> None:
    for name in ("serial-1.log", "m1.vmx.lck"):
        (tmp_path / name).mkdir()
    assert foreign_reason(tmp_path / "serial-1.log", "m1", ()) is ForeignReason.DIRECTORY
    assert foreign_reason(tmp_path / "m1.vmx.lck", "m1", ()) is None


@pytest.mark.parametrize("name", ["thesis.doc", "M1.lck", "M12345.lck.doc"])
def test_a_lock_directory_with_something_else_in_it_is_foreign(name: str, tmp_path: Path) -> None:
    lock = tmp_path / "m1.nvram.lck"
    lock.mkdir()
    for member in ("M12345.lck", "E00001.lck"):
        (lock / member).write_text("vmrun-qemu 1-2.0(vmrun-qemu)")
    (lock / "D00001.lck").mkdir()
    assert foreign_reason(lock, "m1", ()) is None
    (lock / name).write_text("precious")
    assert foreign_reason(lock, "m1", ()) is ForeignReason.LOCKS


@posix_paths
def test_a_line_end_or_a_small_letter_makes_another_name(tmp_path: Path) -> None:
    for name in ("vmware.log\n", "\nvmware.log", "m1.nvram\n"):
        (tmp_path / name).touch()
        assert foreign_reason(tmp_path / name, "m1", ()) is ForeignReason.NAME
    for name in ("m12345.lck", "M12345.lck\n"):
        (tmp_path / "m1.nvram.lck").mkdir(exist_ok=True)
        (tmp_path / "m1.nvram.lck" / name).touch()
        assert foreign_reason(tmp_path / "m1.nvram.lck", "m1", ()) is ForeignReason.LOCKS
        (tmp_path / "m1.nvram.lck" / name).unlink()


def test_a_lock_is_small_a_file_and_no_link(tmp_path: Path) -> None:
    lock = tmp_path / "m1.nvram.lck"
    lock.mkdir()
    (lock / "M12345.lck").write_bytes(b"x" * 5000)
    assert foreign_reason(lock, "m1", ()) is ForeignReason.LOCKS
    (lock / "M12345.lck").unlink()
    (lock / "M12345.lck").mkdir()
    assert foreign_reason(lock, "m1", ()) is ForeignReason.LOCKS
    (lock / "M12345.lck").rmdir()
    (lock / "D12345.lck").mkdir()
    (lock / "D12345.lck" / "precious").touch()
    assert foreign_reason(lock, "m1", ()) is ForeignReason.LOCKS


@links
def test_a_link_among_the_locks_is_foreign(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    (tmp_path / "m1.nvram.lck").mkdir()
    (tmp_path / "m1.nvram.lck" / "M12345.lck").symlink_to(tmp_path / "precious")
    assert foreign_reason(tmp_path / "m1.nvram.lck", "m1", ()) is ForeignReason.LOCKS


def test_what_is_mounted_is_foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("m1.nvram.lck", "m1.vmem.lck"):
        (tmp_path / name).mkdir()
    mounted = tmp_path / "m1.nvram.lck"
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == mounted)
    assert foreign_reason(mounted, "m1", ()) is ForeignReason.MOUNT
    assert foreign_reason(tmp_path / "m1.vmem.lck", "m1", ()) is None


@links
def test_a_marker_is_not_written_through_a_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    directory = tmp_path / "m1"
    directory.mkdir()
    for name in ("airgap-lab.json.tmp", "airgap-lab.json"):
        (directory / name).symlink_to(precious)
    write_marker(directory, "run-1/m1", "about")
    assert precious.read_text() == "precious"
    assert (directory / "airgap-lab.json.tmp").is_symlink()
    assert read_marker(directory) == "run-1/m1"


def test_a_marker_is_read_back_and_any_other_file_is_none(tmp_path: Path) -> None:
    assert read_marker(tmp_path) is None
    write_marker(tmp_path, "run-1/m1", "about")
    assert read_marker(tmp_path) == "run-1/m1"
    marker = tmp_path / "airgap-lab.json"
    for text in ("", "[]", '{"about": "no token"}'):
        marker.write_text(text)
        assert read_marker(tmp_path) is None
    write_marker(tmp_path / "..", "elsewhere", "about")
    marker.unlink()
    marker.symlink_to(tmp_path / ".." / "airgap-lab.json")
    assert read_marker(tmp_path) is None


def test_files_of_a_vm_conflict_and_other_files_do_not() -> None:
    assert conflicting_names(["thesis.docx", "notes.txt"], "m1") == ()
    names = ["thesis.docx", "m1.vmx", "Other.VMX", "data.vmdk", "vmware.log", "airgap-lab.json"]
    assert conflicting_names(names, "m1") == tuple(names[1:])
