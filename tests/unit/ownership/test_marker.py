from __future__ import annotations

from pathlib import Path

import pytest
from needs import links

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
    "M1.VMX", "m1.vmx.k2j_x0.tmp", "564d78e2-0fa2-9f22-1ef7-c3b8c2d3b8d5.vmem.lck", "m1-000001.vmdk.lck",
]  # fmt: skip
FOREIGN = ["notes.txt", "m2.vmx", "m10.vmdk", "other.vmdk", "m1.vmx.bak", "m1-s001.vmdk.copy", "m1", "backup.log",
           "test.vmx.lck", "m10.vmx.lck", "m1.lck", "m1.docx.lck"]  # fmt: skip


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
