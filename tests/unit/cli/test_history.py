"""`lab history`."""

from __future__ import annotations

from pathlib import Path

from .command_line import run_lab
from .left_lab import RUN_ID, LeftLab


def test_each_run_is_a_line_with_verdict_duration_and_claims(tmp_path: Path) -> None:
    reports = LeftLab(tmp_path).reports
    killed = reports / "2026-02-01T00-00-00"
    killed.mkdir()
    (killed / "events.jsonl").touch()
    first, second = run_lab("history", "--reports", reports).output.splitlines()
    assert first.split()[:2] == [killed.name, "unreadable"]
    assert f"`lab report {killed}`" in first
    assert second.split()[:8] == [RUN_ID, "passed", "3", "min", "56", "s", "0", "of"]
    assert second.endswith("airgap-lab: PASSED")
    assert run_lab("history", "--reports", reports, "--last", 1).output.splitlines() == [first]


def test_a_directory_without_runs_is_wrong_input(tmp_path: Path) -> None:
    for reports in (tmp_path, tmp_path / "none"):
        result = run_lab("history", "--reports", reports)
        assert result.exit_code == 4
        assert "run `pytest scenarios/`" in result.stderr
