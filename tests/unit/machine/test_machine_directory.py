from __future__ import annotations

from pathlib import Path

import pytest
from needs import links

from harness.machine.machine_directory import files_of, foreign_directory, foreign_files, is_own, listing
from harness.ownership.ledger import MachineEntry
from harness.ownership.marker import ForeignReason, write_marker

NONCE = "0123456789abcdef0123456789abcdef"
UUID = "01 23 45 67 89 ab cd ef-01 23 45 67 89 AB CD EF"


@pytest.fixture
def machine(tmp_path: Path) -> MachineEntry:
    """Leave a VM as a run creates it, in a directory that had a file before."""
    directory = tmp_path / "m1"
    directory.mkdir()
    (directory / "m1.txt").touch()
    entry = MachineEntry("m1", str(directory), "run-1", nonce=NONCE, found=("m1.txt",))
    write_marker(directory, entry.token, "about")
    (directory / "m1.vmx").write_text(f'uuid.bios = "{UUID}"\n', encoding="utf-8")
    (directory / "m1.vmdk").touch()
    return entry


def directory_of(machine: MachineEntry) -> Path:
    return files_of(machine).directory


def why(machine: MachineEntry) -> ForeignReason | None:
    found = foreign_directory(machine)
    return found.why if found else None


def test_the_files_of_a_vm_are_in_its_directory(machine: MachineEntry, tmp_path: Path) -> None:
    assert files_of(machine).vmx == tmp_path / "m1" / "m1.vmx"


def test_the_directory_of_a_run_is_ours(machine: MachineEntry) -> None:
    assert why(machine) is None


def test_a_directory_that_is_gone_or_empty_is_ours(machine: MachineEntry, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("gone", "empty"):
        assert why(MachineEntry("m1", str(tmp_path / name), "run-1")) is None


def test_a_directory_with_the_marker_of_another_run_is_foreign(machine: MachineEntry) -> None:
    other = MachineEntry("m1", machine.directory, "run-2", nonce=NONCE, found=machine.found)
    assert why(other) is ForeignReason.NO_MARKER


def test_a_vm_with_another_uuid_is_foreign(machine: MachineEntry) -> None:
    vmx = files_of(machine).vmx
    vmx.write_text(f'uuid.bios = "{UUID.replace("01", "77")}"\n', encoding="utf-8")
    assert why(machine) is ForeignReason.OTHER_MACHINE
    vmx.write_bytes(b"\0not a VMX")
    assert why(machine) is None, "a VMX without a UUID is no other machine"


def test_a_file_in_place_of_the_directory_is_foreign(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert why(MachineEntry("m1", str(tmp_path / "file"), "run-1")) is ForeignReason.LINK


@links
def test_a_link_to_the_directory_is_foreign(machine: MachineEntry, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(machine.directory, target_is_directory=True)
    linked = MachineEntry("m1", str(tmp_path / "link"), "run-1", nonce=NONCE, found=machine.found)
    assert why(linked) is ForeignReason.LINK


def test_foreign_files_are_named_with_their_reasons(machine: MachineEntry) -> None:
    directory = directory_of(machine)
    (directory / "notes.doc").touch()
    assert [(item.path.name, item.why) for item in foreign_files(machine)] == [
        ("m1.txt", ForeignReason.EXISTED),
        ("notes.doc", ForeignReason.NAME),
    ]
    assert [item.name for item in listing(directory) if is_own(item, machine)] == ["m1.vmdk", "m1.vmx"]


def test_a_directory_that_is_gone_has_no_files(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert foreign_files(MachineEntry("m1", str(gone), "run-1")) == ()
    assert listing(gone) == ()
