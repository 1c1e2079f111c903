"""The start report of a daemon: started, failed, silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.vmrun_qemu.base import daemon
from harness.vmrun_qemu.base.daemon import StartReport

# The daemon outlives the object of its process, as it outlives a command.
pytestmark = pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
HEAD = "import sys\nfrom harness.vmrun_qemu.base.daemon import StartReport, report_start\n"


def started(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str, timeout_s: float = 60) -> StartReport:
    """Start a daemon that runs `code`."""
    (folder / "one_daemon.py").write_text(HEAD + code, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return daemon.start("one_daemon", ["argument"], folder / "daemon.log", timeout_s=timeout_s, grace_s=5)


def test_a_daemon_that_runs_reports_no_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "report_start(StartReport())\nprint('not in the pipe')\nprint(sys.argv[1], file=sys.stderr)\n"
    assert started(tmp_path, monkeypatch, code) == StartReport()


def test_a_daemon_that_failed_reports_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "report_start(StartReport('no QEMU, \\u00fc', busy=True))\n"
    assert started(tmp_path, monkeypatch, code) == StartReport("no QEMU, ü", busy=True)


@pytest.mark.parametrize("code", ["sys.exit(3)", "print('no report')", "print('[1]')", "print('{\"other\": 1}')"])
def test_without_a_report_the_log_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    report = started(tmp_path, monkeypatch, code)
    assert report == StartReport(f"Unknown error: see {tmp_path / 'daemon.log'}")


def test_a_daemon_that_reports_nothing_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one_daemon.py").write_text("import time; time.sleep(600)", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    report = daemon.start("one_daemon", [], tmp_path / "daemon.log", timeout_s=0.2, grace_s=0.2)
    assert report.problem == f"Unknown error: see {tmp_path / 'daemon.log'}"


def test_what_a_daemon_prints_as_an_error_is_in_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started(tmp_path, monkeypatch, "print(sys.argv[1], file=sys.stderr, flush=True)\nreport_start(StartReport())\n")
    assert (tmp_path / "daemon.log").read_text(encoding="utf-8").split() == ["argument"]
