"""removeState."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from needs import links
from vm_record import record_of

from harness.vmrun_qemu.base import records
from harness.vmrun_qemu.main import main


def used(own_home: Path) -> None:
    """Leave what a session leaves that was killed."""
    assert main(["defineNetwork", "vmnet1", "192.168.77.0/24"]) == 0
    assert main(["listPortForwardings", "vmnet1"]) == 0
    for name in ("accelerator.json", "faults.json", "faults.lock"):
        (own_home / name).write_text("{}")
    (own_home / "vm" / "0123456789abcdef").mkdir(parents=True)
    for name in ("lock", "qemu.log", "supervisor.log", "reset.json"):
        (own_home / "vm" / "0123456789abcdef" / name).touch()


def test_all_that_this_program_remembers_goes(own_home: Path) -> None:
    used(own_home)
    assert main(["removeState"]) == 0
    assert not own_home.exists()
    assert main(["removeState"]) == 0


def test_a_network_without_a_vm_is_defined_and_removed_without_slow_imports(own_home: Path) -> None:
    code = (
        "import sys; from harness.vmrun_qemu.main import main;"
        "status = main(['defineNetwork', 'vmnet1', '192.168.77.0/24']) or main(['removeState']);"
        "print(status, [name for name in ('psutil', 'qemu.qmp', 'socket', 'subprocess') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "0 []\n"


@links
def test_what_is_not_this_programs_stays(own_home: Path, tmp_path: Path) -> None:
    used(own_home)
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "lock").touch()
    foreign = [own_home / "notes.txt", own_home / "vm" / "mine" / "disk.vmdk", own_home / "net" / "vmnet1" / "link"]
    foreign[1].parent.mkdir()
    for path in foreign[:2]:
        path.touch()
    foreign[2].symlink_to(treasure, target_is_directory=True)
    (own_home / "vm" / "fedcba9876543210").symlink_to(treasure, target_is_directory=True)
    assert main(["removeState"]) == 0
    assert sorted(path for path in own_home.rglob("*") if not path.is_dir() or path.is_symlink()) == sorted(
        [*foreign, own_home / "vm" / "fedcba9876543210"]
    )
    assert (treasure / "lock").exists()


def test_a_machine_that_is_starting_keeps_it(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    used(own_home)
    records.save(record_of(phase="starting"))
    assert main(["removeState"]) == 255
    assert "already running" in capsys.readouterr().out
    assert json.loads((own_home / "networks.json").read_text())


def test_a_vm_that_is_about_to_start_keeps_its_folder(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    used(own_home)
    folder = own_home / "vm" / "0123456789abcdef"
    with FileLock(folder / "lock"):
        assert main(["removeState"]) == 255
    assert "already running" in capsys.readouterr().out
    assert (folder / "supervisor.log").exists()


def test_a_file_that_this_program_does_not_write_stays_in_its_folders(own_home: Path) -> None:
    used(own_home)
    foreign = [
        own_home / "vm" / "0123456789abcdef" / "notes.txt",
        own_home / "net" / "vmnet1" / "members" / "mine.json",
    ]
    for path in foreign:
        path.touch()
    (own_home / "net" / "vmnet1" / "members" / "0123456789abcdef-ethernet0.json").touch()
    assert main(["removeState"]) == 0
    assert sorted(path for path in own_home.rglob("*") if path.is_file()) == sorted(foreign)
