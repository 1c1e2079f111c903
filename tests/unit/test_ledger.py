from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HostError
from harness.ledger import Claim, Ledger, owned_names, remove_machine_directory


def claim(name: str, directory: Path) -> Claim:
    return Claim(name, str(directory / name), "run-1", "vmnet1", 2201)


def test_a_claim_is_on_disk_before_anything_else(tmp_path: Path) -> None:
    path = tmp_path / "vms" / "ledger.json"
    Ledger(path, "lab").claim(claim("m1", tmp_path))
    assert Ledger(path, "lab").claims() == (claim("m1", tmp_path),)


def test_a_second_claim_of_a_machine_replaces_the_first(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.json", "lab")
    ledger.claim(claim("m1", tmp_path))
    ledger.claim(Claim("m1", str(tmp_path / "m1"), "run-2"))
    assert [item.run_id for item in ledger.claims()] == ["run-2"]


def test_the_last_release_removes_the_ledger(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.json", "lab")
    ledger.claim(claim("m1", tmp_path))
    ledger.claim(claim("m2", tmp_path))
    ledger.release("m1")
    assert [item.machine for item in ledger.claims()] == ["m2"]
    ledger.release("m2")
    assert list(tmp_path.iterdir()) == []


def test_releasing_what_was_never_claimed_is_fine(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger.json", "lab").release("m1")
    assert list(tmp_path.iterdir()) == []


def test_the_ledger_of_another_lab_is_refused(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger.json", "theirs").claim(claim("m1", tmp_path))
    with pytest.raises(HostError, match="belongs to the lab 'theirs'"):
        Ledger(tmp_path / "ledger.json", "ours").claims()


@pytest.mark.parametrize("text", ["", "[]", '{"machines": [{"nonsense": 1}]}', '{"lab": "lab"}'])
def test_a_damaged_ledger_deletes_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "ledger.json").write_text(text)
    with pytest.raises(HostError, match="cannot be read"):
        Ledger(tmp_path / "ledger.json", "lab").claims()


OURS = [
    "m1.vmx", "m1.vmxf", "m1.vmsd", "m1.nvram", "m1.vmdk", "m1-s001.vmdk", "m1-000001.vmdk", "m1-000001-s002.vmdk",
    "m1-flat.vmdk", "m1.vmem", "m1.vmss", "m1-Snapshot3.vmsn", "vmware.log", "vmware-0.log", "serial-1.log",
    "M1.VMX",
]  # fmt: skip
FOREIGN = ["notes.txt", "m2.vmx", "m10.vmdk", "other.vmdk", "m1.vmx.bak", "m1-s001.vmdk.copy", "m1", "backup.log"]


@pytest.mark.parametrize("name", OURS)
def test_what_a_hypervisor_writes_is_ours(name: str) -> None:
    assert owned_names("m1").fullmatch(name)


@pytest.mark.parametrize("name", FOREIGN)
def test_everything_else_is_foreign(name: str) -> None:
    assert not owned_names("m1").fullmatch(name)


def test_a_planted_decoy_survives_removal(tmp_path: Path) -> None:
    directory = tmp_path / "m1"
    (directory / "m1.vmx.lck").mkdir(parents=True)
    (directory / "m1.vmx.lck" / "M1.lck").touch()
    (directory / "photos").mkdir()
    for name in [*OURS, *FOREIGN]:
        (directory / name).touch()
    left = remove_machine_directory(directory, "m1")
    assert sorted(item.name for item in left) == sorted([*FOREIGN, "photos"])
    assert sorted(item.name for item in directory.iterdir()) == sorted([*FOREIGN, "photos"])


def test_a_directory_with_a_name_of_ours_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "m1" / "serial-1.log").mkdir(parents=True)
    assert [item.name for item in remove_machine_directory(tmp_path / "m1", "m1")] == ["serial-1.log"]


def test_a_directory_with_nothing_foreign_goes_too(tmp_path: Path) -> None:
    (tmp_path / "m1").mkdir()
    (tmp_path / "m1" / "m1.vmx").touch()
    assert remove_machine_directory(tmp_path / "m1", "m1") == ()
    assert not (tmp_path / "m1").exists()


def test_removing_twice_is_fine(tmp_path: Path) -> None:
    assert remove_machine_directory(tmp_path / "absent", "m1") == ()
