from __future__ import annotations

import json
from pathlib import Path

from needs import links

from harness.report.writer import latest_run, point_latest

from .command_line import run_lab


def journal(run: Path) -> Path:
    run.mkdir()
    start = {"t": 0, "kind": "run-start", "machine": None, "run": {"run_id": run.name}}
    (run / "events.jsonl").write_text(json.dumps(start) + "\n")
    return run


def test_a_report_is_written_again_from_the_journal(tmp_path: Path) -> None:
    run = journal(tmp_path / "run-1")
    assert run_lab("report", run).output == f"{run / 'report.html'}\n"
    assert json.loads((run / "run.json").read_text())["run_id"] == "run-1"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run_lab("report", empty).exit_code == 4


def test_without_a_directory_it_is_the_newest_run(tmp_path: Path) -> None:
    assert run_lab("report", "--reports", tmp_path).exit_code == 4
    for name in ("run-1", "run-2", "run-3"):
        journal(tmp_path / name)
    point_latest(tmp_path / "run-2")
    result = run_lab("report", "--reports", tmp_path)
    assert (result.exit_code, result.output.strip()) == (0, str(tmp_path.resolve() / "run-2" / "report.html"))
    assert "run-2/report.html" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_run_that_was_moved_elsewhere_gets_no_index_beside_it(tmp_path: Path) -> None:
    assert run_lab("report", journal(tmp_path / "run-1")).exit_code == 0
    assert not (tmp_path / "index.html").exists()


@links
def test_a_report_of_any_run_leaves_the_pointer_to_the_newest(tmp_path: Path) -> None:
    older, newest = journal(tmp_path / "run-1"), journal(tmp_path / "run-2")
    point_latest(newest)
    for directory in (older, tmp_path / "latest"):
        assert run_lab("report", directory).exit_code == 0
        assert (tmp_path / "latest").readlink() == Path("run-2")
        assert latest_run(tmp_path) == newest
    assert (newest / "report.html").is_file()
