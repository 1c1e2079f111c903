"""Evidence of each machine: little of a good one, all of a broken one.

Also where its guest is dead.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.lab.evidence.guest_files import QUESTIONS

from .fake_guest_shell import FakeShellGuest
from .fake_lab import MACHINES, FakeLab

pytest_plugins = ("pytester",)

WORKER = "k3s-worker1"
CHEAP = {question.name for question in QUESTIONS if question.cheap}
ALL = {question.name for question in QUESTIONS}
BAD_STATUS = {"# cloud-init status --format=json": (1, '{"status": "error", "errors": ["boom"]}')}


def files(lab: FakeLab, name: str) -> set[str]:
    return {path.name for path in (lab.latest / name).iterdir()}


def asked(lab: FakeLab) -> set[str]:
    """Return the evidence of each guest that was asked for, as machine/name."""
    return {f"{name}/{item}" for name in MACHINES for item in files(lab, name) & ALL}


def test_a_good_machine_is_asked_for_little_and_a_broken_one_for_everything(fake_lab: FakeLab) -> None:
    fake_lab.guests[WORKER].says.update(BAD_STATUS)
    assert fake_lab.run("scenarios/test_50_cloud_init.py").ret == 1
    assert CHEAP < ALL
    assert asked(fake_lab) == {
        *(f"{name}/{item}" for name in MACHINES for item in CHEAP),
        *(f"{WORKER}/{item}" for item in ALL),
    }
    assert fake_lab.unknown_commands() == []
    listed = {item["path"]: item for item in json.loads((fake_lab.latest / "run.json").read_text())["evidence"]}
    page = (fake_lab.latest / "report.html").read_text(encoding="utf-8")
    for name in ("journal.log", "network.txt", "serial-1.log", "vmware.log", f"{WORKER}.vmx"):
        assert re.fullmatch(r"[0-9a-f]{64}", listed[f"{WORKER}/{name}"]["sha256"])
        assert f'href="./{WORKER}/{name}"' in page


@pytest.mark.same_on_every_system
def test_a_good_guest_is_asked_while_tests_still_run_and_not_again_at_the_end(fake_lab: FakeLab) -> None:
    (fake_lab.scenarios / "test_35_own.py").write_text(
        "import time\nimport pytest\npytestmark = pytest.mark.phase('boot')\n\n"
        "def test_own(lab, machine_name):\n"
        "    wanted, limit = lab.run.machine(machine_name) / 'cloud-init.log', time.monotonic() + 60\n"
        "    while not wanted.is_file():\n"
        "        assert time.monotonic() < limit, 'nothing was collected yet'\n"
        "        time.sleep(0.05)\n"
    )
    assert fake_lab.run("scenarios/test_35_own.py", "-k", WORKER).ret == 0
    events = (fake_lab.latest / "events.jsonl").read_text(encoding="utf-8")
    assert events.count(f'"{WORKER}/cloud-init.log"') == 1


@pytest.mark.same_on_every_system
def test_a_guest_test_that_fails_has_its_machines_evidence_collected_whole(fake_lab: FakeLab) -> None:
    fake_lab.guests[WORKER].says["hostname"] = (0, "localhost\n")
    assert fake_lab.run("scenarios/test_80_guests.py", "-k", "host_name").ret == 1
    assert files(fake_lab, WORKER) >= ALL
    assert files(fake_lab, MACHINES[0]) & ALL == CHEAP


def test_the_console_is_kept_from_its_first_byte_with_the_time_of_each_line(fake_lab: FakeLab) -> None:
    fake_lab.guests[WORKER].console = "k3s-worker1 login: "
    assert fake_lab.run("scenarios/test_30_boot.py").ret == 0
    lines = (fake_lab.latest / WORKER / "serial-1.log").read_text(encoding="utf-8").splitlines()
    assert all(re.match(r"\[ *\d+\.\d{3}\] ", line) for line in lines)
    assert "installer-start" in lines[0]
    assert lines[-1].endswith("] k3s-worker1 login:")
    times = [float(line[1:10]) for line in lines]
    assert times == sorted(times)


def dead(guest: FakeShellGuest, vmx: Path) -> None:
    guest.hang_up = True


def test_a_guest_without_a_login_still_leaves_console_and_host_files(fake_lab: FakeLab) -> None:
    fake_lab.edit("boot: 20, iso_copy", "boot: 3, iso_copy")
    fake_lab.guests[WORKER].fault = dead
    fake_lab.guests[WORKER].console = "[ 3.1] EXT4-fs error (device sda1): x\n"
    result = fake_lab.run("scenarios/test_30_boot.py", "-k", WORKER, "--keep=never")
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"boot of {WORKER}: ssh login: fail: *the console says: the guest's disk failed, *"])
    found = files(fake_lab, WORKER)
    assert {"serial-1.log", "vmware.log", f"{WORKER}.vmx"} <= found
    assert not found & ALL
    notes = json.loads((fake_lab.latest / "run.json").read_text())["notes"]
    text = "\n".join(notes)
    assert "the guest was not asked for evidence to the end" in text
    assert "the disk was not read: the machine runs" in text, "at the time of the failure"
    assert "the stopped disk could not be collected" in text, "before it was destroyed (the stand-in's disk is no disk)"
    assert not fake_lab.vmx(WORKER).exists()


def with_account(lab: FakeLab) -> None:
    lab.edit("\nhardware:\n", "\ntools: {user: lab, password: 'env:LAB_GUEST_PASSWORD'}\n\nhardware:\n")


@pytest.mark.parametrize("password", ["correct horse", "wrong battery"])
def test_a_picture_of_the_screen_is_had_with_the_guests_account_and_its_password_is_nowhere(
    fake_lab: FakeLab, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    with_account(fake_lab)
    monkeypatch.setenv("LAB_GUEST_PASSWORD", password)
    fake_lab.guests[WORKER].says.update(BAD_STATUS)
    result = fake_lab.run("scenarios/test_50_cloud_init.py", "-k", WORKER)
    assert result.ret == 1
    assert ("screen.png" in files(fake_lab, WORKER)) == (password == fake_lab.vmrun.account[1])
    written = [path for path in fake_lab.latest.rglob("*") if path.is_file()]
    assert not [path for path in written if password.encode() in path.read_bytes()]
    assert password not in result.stdout.str() + result.stderr.str()


def test_a_password_that_is_not_where_the_lab_file_says_stops_before_anything_is_made(
    fake_lab: FakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_account(fake_lab)
    monkeypatch.delenv("LAB_GUEST_PASSWORD", raising=False)
    result = fake_lab.run("scenarios/test_30_boot.py")
    assert result.ret == 4
    assert "set the variable LAB_GUEST_PASSWORD" in result.stdout.str() + result.stderr.str()
    assert fake_lab.vmrun.verbs() == []


@pytest.mark.parametrize("size", [100, 5 << 20])
def test_a_host_file_is_kept_up_to_a_limit(fake_lab: FakeLab, size: int) -> None:
    def chatty(guest: FakeShellGuest, vmx: Path) -> None:
        (vmx.parent / "qemu.log").write_text("x" * size + "END")

    fake_lab.guests[WORKER].fault = chatty
    assert fake_lab.run("scenarios/test_30_boot.py", "-k", WORKER).ret == 0
    text = (fake_lab.latest / WORKER / "qemu.log").read_text()
    assert len(text) == min(size + 3, 4 << 20)
    assert text.endswith("END")
