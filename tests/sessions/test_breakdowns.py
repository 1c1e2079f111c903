"""A defect of the harness, or of what it writes to, is an error with its place.

No run waits for ever for it, and none ends without its report.
"""

from __future__ import annotations

import errno
import threading
from pathlib import Path
from typing import Any

import pytest

from harness.guest.nonce import NONCE_COMMAND
from harness.lab import closing
from harness.lab.evidence.collector import Collector
from harness.lab.resume.continuation import Resumption
from harness.machine.console import Console
from harness.machine.machine import Machine
from harness.ownership.lab_lock import is_held
from harness.results.journal import Journal
from harness.vmrun.driver import Vmrun

from .fake_lab import MACHINES, FakeLab
from .test_outcomes import WORKER, part, run_json

pytest_plugins = ("pytester",)
pytestmark = [pytest.mark.timeout(120), pytest.mark.same_on_every_system]


def full() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


def assert_ended(lab: FakeLab) -> None:
    assert [one.name for one in threading.enumerate() if one.name.startswith(("machine", "serial"))] == []
    assert not is_held(lab.vms)


def test_a_thread_that_dies_is_an_error_of_its_machine_alone(
    fake_lab: FakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    resume = Resumption.resume

    def broken(self: Resumption, machine: Machine) -> object:
        if machine.name == WORKER:
            raise ZeroDivisionError("a defect")
        return resume(self, machine)

    monkeypatch.setattr(Resumption, "resume", broken)
    result = fake_lab.run(*part("10_cleanup", "30_boot", "78_air_gap"))
    assert result.ret == 1
    assert result.parseoutcomes() == {"passed": 24, "failed": 1, "skipped": 23}
    result.stdout.fnmatch_lines([f"cleanup of {WORKER}: harness: error: *", "*ZeroDivisionError: a defect*"])
    result.stdout.fnmatch_lines([f"not proven: air-gap of {MACHINES[0]}: peers answer: {WORKER}: cleanup of {WORKER}"])
    assert_ended(fake_lab)


def test_a_journal_that_cannot_be_written_is_an_error(fake_lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Journal.write

    def refuse(self: Journal, kind: str, machine: str | None = None, **fields: Any) -> None:
        if (kind, machine, fields.get("phase")) == ("phase-end", WORKER, "creation") or kind == "test":
            raise full()
        write(self, kind, machine, **fields)

    monkeypatch.setattr(Journal, "write", refuse)
    result = fake_lab.run(*part("20_creation", "30_boot"))
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*No space left on device*", "not done: a test's outcome: *No space left*"])
    assert result.parseoutcomes()["failed"] == 1
    assert run_json(fake_lab)["exit_status"] == 1
    assert_ended(fake_lab)


def test_evidence_that_cannot_be_collected_ends_nothing(fake_lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("a defect of the evidence")

    for step in ("_host_files", "_ask", "_screen"):
        monkeypatch.setattr(Collector, step, broken)
    assert fake_lab.run(*part("30_boot"), "-k", WORKER).ret == 0
    assert "a defect of the evidence" in str(run_json(fake_lab)["notes"])


@pytest.mark.parametrize(("owner", "step"), [(Vmrun, "power_state"), (Collector, "_screen")])
def test_a_guest_that_failed_has_its_own_verdict_and_its_files_whatever_breaks_beside(
    fake_lab: FakeLab, monkeypatch: pytest.MonkeyPatch, owner: type, step: str
) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(owner, step, broken)
    fake_lab.guests[WORKER].says["# cloud-init status --format=json"] = (1, '{"status": "error", "errors": ["boom"]}')
    result = fake_lab.run(*part("60_packages"), "-k", WORKER)
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"cloud-init of {WORKER}: result: fail: error: boom*"])
    assert "could not be collected: Input/output error" in str(run_json(fake_lab)["notes"])
    assert (fake_lab.latest / WORKER / "journal.log").is_file()


@pytest.mark.parametrize("step", ["remove_all", "remove_rest"])
def test_an_end_that_breaks_is_reported_and_has_its_report(
    fake_lab: FakeLab, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def broken(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "somewhere")

    monkeypatch.setattr(closing, step, broken)
    result = fake_lab.run(*part("30_boot"), "-k", WORKER, "--keep=never")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["not done: *: somewhere: Permission denied*", "report: *"])
    run = run_json(fake_lab)
    assert run["exit_status"] == 1
    assert "Permission denied" in str(run["notes"])
    assert_ended(fake_lab)


def test_a_machine_whose_last_evidence_breaks_does_not_keep_the_others(
    fake_lab: FakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = Console.finish

    def broken(self: Console) -> None:
        if WORKER in str(self.log) and threading.current_thread().name.startswith("ThreadPool"):
            raise full()
        finish(self)

    monkeypatch.setattr(Console, "finish", broken)
    result = fake_lab.run(*part("30_boot"), "--keep=never")
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"not done: evidence of {WORKER}: *No space left*"])
    assert [name for name in MACHINES if fake_lab.vmx(name).exists()] == []
    assert (fake_lab.latest / "report.html").is_file()


def test_results_that_pytest_cannot_write_do_not_cost_the_report(fake_lab: FakeLab) -> None:
    (fake_lab.path / "file").write_text("no directory")
    result = fake_lab.run(*part("30_boot"), "-k", WORKER, "--keep=never", "--junitxml=file/junit.xml")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["not done: pytest's own results: *", "report: *report.html"])
    assert run_json(fake_lab)["exit_status"] == 1
    assert not fake_lab.vmx(WORKER).exists()
    assert_ended(fake_lab)


def test_a_report_that_cannot_be_written_does_not_hide_what_was_proven(
    fake_lab: FakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> None:
        raise full()

    monkeypatch.setattr("harness.lab.closing.write_reports", broken)
    result = fake_lab.run(*part("30_boot"), "-k", WORKER)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["not done: the report: *No space left*", f"kept*: {WORKER}"])
    assert_ended(fake_lab)


def test_a_busy_guest_that_hangs_up_during_the_login_is_asked_again(fake_lab: FakeLab) -> None:
    def busy(guest: Any, _: Path) -> None:
        asked: list[int] = []

        def once() -> None:
            asked.append(1)
            if len(asked) == 1:
                guest.cut()

        guest.when_asked(f"# {NONCE_COMMAND}", once)

    fake_lab.guests[WORKER].fault = busy
    assert fake_lab.run(*part("30_boot"), "-k", WORKER).ret == 0


def test_another_machine_that_writes_to_the_console_is_reported(fake_lab: FakeLab) -> None:
    other = "@LAB1 " + "0" * 32 + " 0123 boot "
    fake_lab.guests[WORKER].console = f"{other}#{len(other)}\n"
    assert fake_lab.run(*part("30_boot"), "-k", WORKER).ret == 0
    assert f"1 event(s) in serial-1.log are of another machine: nonce {'0' * 32}" in str(run_json(fake_lab)["notes"])
