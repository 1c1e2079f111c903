from __future__ import annotations

import json
from pathlib import Path

import pytest
from filelock import FileLock
from needs import links
from vm_record import record_of

from harness.vmrun_qemu.base import records
from harness.vmrun_qemu.main import main


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def used(home: Path) -> None:
    """Leave what a session leaves that was killed."""
    assert main(["defineNetwork", "vmnet1", "192.168.77.0/24"]) == 0
    assert main(["listPortForwardings", "vmnet1"]) == 0
    for name in ("accelerator.json", "faults.json", "faults.lock"):
        (home / name).write_text("{}")
    (home / "vm" / "0123456789abcdef").mkdir(parents=True)
    for name in ("lock", "qemu.log", "supervisor.log"):
        (home / "vm" / "0123456789abcdef" / name).touch()


def test_all_that_this_program_remembers_goes(home: Path) -> None:
    used(home)
    assert main(["removeState"]) == 0
    assert not home.exists()
    assert main(["removeState"]) == 0


@links
def test_what_is_not_this_programs_stays(home: Path, tmp_path: Path) -> None:
    used(home)
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "lock").touch()
    foreign = [home / "notes.txt", home / "vm" / "mine" / "disk.vmdk", home / "net" / "vmnet1" / "link"]
    foreign[1].parent.mkdir()
    for path in foreign[:2]:
        path.touch()
    foreign[2].symlink_to(treasure, target_is_directory=True)
    (home / "vm" / "fedcba9876543210").symlink_to(treasure, target_is_directory=True)
    assert main(["removeState"]) == 0
    assert sorted(path for path in home.rglob("*") if not path.is_dir() or path.is_symlink()) == sorted(
        [*foreign, home / "vm" / "fedcba9876543210"]
    )
    assert (treasure / "lock").exists()


def test_a_machine_that_is_starting_keeps_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    used(home)
    records.save(record_of(phase="starting"))
    assert main(["removeState"]) == 255
    assert "already running" in capsys.readouterr().out
    assert json.loads((home / "networks.json").read_text())


def test_a_machine_that_is_about_to_start_keeps_its_folder(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    used(home)
    folder = home / "vm" / "0123456789abcdef"
    with FileLock(folder / "lock"):
        assert main(["removeState"]) == 255
    assert "already running" in capsys.readouterr().out
    assert (folder / "supervisor.log").exists()


def test_a_file_that_this_program_does_not_write_stays_in_its_folders(home: Path) -> None:
    used(home)
    foreign = [home / "vm" / "0123456789abcdef" / "notes.txt", home / "net" / "vmnet1" / "members" / "mine.json"]
    for path in foreign:
        path.touch()
    (home / "net" / "vmnet1" / "members" / "0123456789abcdef-ethernet0.json").touch()
    assert main(["removeState"]) == 0
    assert sorted(path for path in home.rglob("*") if path.is_file()) == sorted(foreign)
