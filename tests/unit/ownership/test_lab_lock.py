from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import filelock
import pytest

from harness.core.errors import LabBusyError
from harness.core.layout import LEDGER, LOCK, MADE
from harness.ownership.lab_lock import current_owner, hold_lock_file, is_held, lab_lock, read_owner, user_name

HOLDER = """
import sys, time
from pathlib import Path
from harness.ownership.lab_lock import lab_lock
with lab_lock(Path(sys.argv[1]), "lab"):
    print("held", flush=True)
    time.sleep(60)
"""


def hold(directory: Path) -> subprocess.Popen[str]:
    """Return a process that holds the lab, once it does."""
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(directory)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_one_session_holds_the_lab_and_leaves_nothing(tmp_path: Path) -> None:
    vms = tmp_path / "a" / "vms"
    with lab_lock(vms, "lab"):
        assert is_held(vms)
        with pytest.raises(LabBusyError) as caught, lab_lock(vms, "lab"):
            pass
        assert f"process {os.getpid()}, since 20" in caught.value.detail
        assert caught.value.where == str(vms)
        assert is_held(vms), "a refused session releases nothing"
    assert not is_held(vms)
    assert list(tmp_path.iterdir()) == []
    with lab_lock(vms, "lab"):
        (vms / LEDGER).touch()
    assert sorted(path.name for path in vms.iterdir()) == [LEDGER, MADE]
    with lab_lock(vms, "lab"):
        (vms / LEDGER).unlink()
    assert list(tmp_path.iterdir()) == [], "the directories that an earlier session created go with the lab"


def test_a_directory_that_was_there_stays_when_it_is_empty(tmp_path: Path) -> None:
    vms = tmp_path / "vms"
    vms.mkdir()
    for _ in range(2):
        with lab_lock(vms, "lab"):
            pass
    assert list(vms.iterdir()) == []


def test_a_created_directory_with_a_foreign_file_stays_without_our_files(tmp_path: Path) -> None:
    vms = tmp_path / "a" / "vms"
    with lab_lock(vms, "lab"):
        (vms / "thesis.docx").touch()
    assert [path.name for path in vms.iterdir()] == ["thesis.docx"]


def test_the_record_of_a_directory_that_was_moved_is_ignored(tmp_path: Path) -> None:
    vms = tmp_path / "a" / "vms"
    with lab_lock(vms, "lab"):
        (vms / LEDGER).touch()
    vms.rename(tmp_path / "vms")
    with lab_lock(tmp_path / "vms", "lab"):
        (tmp_path / "vms" / LEDGER).unlink()
    assert list((tmp_path / "vms").iterdir()) == []
    assert (tmp_path / "a").is_dir()


def test_the_lock_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / LOCK).touch()

    def refuse(lock: filelock.FileLock, timeout: float) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / LOCK))

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    with (
        pytest.raises(LabBusyError, match="acquired: Permission denied") as caught,
        lab_lock(tmp_path, "lab"),
    ):
        pass
    assert "ask the owner of the file to remove it" in caught.value.remedy
    assert is_held(tmp_path)
    (tmp_path / LOCK).unlink()
    with lab_lock(tmp_path, "lab"):
        pass  # nothing can be written, so nothing can be locked


def test_a_process_that_asks_is_held_does_not_stop_a_session_from_starting(tmp_path: Path) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def ask() -> None:
        with hold_lock_file(tmp_path / LOCK, 0):
            inside.set()
            go_on.wait(10)

    asking = threading.Thread(target=ask)
    asking.start()
    assert inside.wait(10)
    threading.Timer(0.1, go_on.set).start()
    with lab_lock(tmp_path, "lab"):
        pass
    asking.join()


def test_a_session_that_raises_releases_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lab_lock(tmp_path / "vms", "lab"):
        raise ZeroDivisionError
    with lab_lock(tmp_path / "vms", "lab"):
        pass


def test_a_living_owner_is_named_and_a_dead_ones_lock_is_taken_over_with_a_message(tmp_path: Path) -> None:
    reported: list[str] = []
    child = hold(tmp_path)
    try:
        with pytest.raises(LabBusyError) as caught, lab_lock(tmp_path, "lab"):
            pass
        assert f"process {child.pid}, since" in str(caught.value)
    finally:
        child.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        child.communicate()
    assert not is_held(tmp_path)
    with lab_lock(tmp_path, "lab", reported.append):
        owner = read_owner(tmp_path)
        assert owner is not None
        assert owner.pid == os.getpid()
    assert len(reported) == 1
    assert f"process {child.pid}" in reported[0]
    with lab_lock(tmp_path, "lab", reported.append):
        pass
    assert len(reported) == 1


def test_many_sessions_hold_it_one_after_the_other(tmp_path: Path) -> None:
    """Each holder deletes the file: a waiter must not keep it."""
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom harness.ownership.lab_lock import hold_lock_file\n"
        "mine = Path(sys.argv[1]) / 'inside'\n"
        "for _ in range(20):\n"
        "    with hold_lock_file(Path(sys.argv[1]) / 'lock', 60):\n"
        "        mine.touch(exist_ok=False); time.sleep(0.001); mine.unlink()\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(3)]
    assert [child.wait(120) for child in children] == [0, 0, 0]


def test_an_owner_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = current_owner(["/usr/bin/vmrun", "-gp", "hunter2", "start"])
    assert owner.command.startswith("vmrun ")
    assert "hunter2" not in str(owner)


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert user_name()


def test_an_unreadable_owner_file_is_no_owner(tmp_path: Path) -> None:
    assert read_owner(tmp_path) is None
    (tmp_path / "lab-owner.json").write_text('{"user": "me"}')
    assert read_owner(tmp_path) is None


def test_where_nothing_can_be_written_there_is_nothing_to_lock(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with lab_lock(tmp_path / "file" / "vms", "lab"):
        pass
