"""The files of a run directory and the pointer to the newest run."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from needs import links
from report_samples import events_of, failing, replaced, verdicts, write_journal

from harness.core.errors import UsageError
from harness.core.verdict import Phase
from harness.report.writer import latest_run, point_latest, write_index, write_reports
from harness.results.run_json import from_json

WORKER, MASTER = "k3s-worker1", "k3s-master1"
PICTURE = b"\x89PNG picture"


def run_directory(reports: Path, name: str = "run-1") -> Path:
    found = replaced(verdicts(), WORKER, Phase.ISO_COPY, failing())
    write_journal(reports / name / "events.jsonl", events_of(found, exit_status=1))
    (reports / name / WORKER).mkdir()
    (reports / name / WORKER / "serial-1.log").write_bytes(
        b"old\n" * 1_250_000 + b"\xff Failed to start copy.service\r\n"
    )
    return reports / name


def refuse_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: str, target_is_directory: bool = False) -> None:
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)


def test_the_journal_alone_makes_the_files(tmp_path: Path) -> None:
    directory = run_directory(tmp_path)
    run = write_reports(directory)
    assert from_json((directory / "run.json").read_text(encoding="utf-8")) == run
    page = (directory / "report.html").read_text(encoding="utf-8")
    assert "FAILED: iso-copy of k3s-worker1" in page
    assert "Failed to start copy.service" in page
    assert len(page) < 200_000
    assert sorted(item.name for item in directory.iterdir()) == [
        "events.jsonl", WORKER, "report.html", "run.json", "summary.md"
    ]  # fmt: skip


def test_the_page_shows_the_screen_of_a_machine_in_trouble(tmp_path: Path) -> None:
    directory = run_directory(tmp_path)
    (directory / WORKER / "screen.png").write_bytes(PICTURE)
    (directory / WORKER / "large.png").write_bytes(b"x" * 300_000)
    (directory / MASTER).mkdir()
    (directory / MASTER / "screen.png").write_bytes(b"\x89PNG of a healthy one")
    with (directory / "events.jsonl").open("a", encoding="utf-8") as journal:
        for machine, name in ((WORKER, "screen.png"), (WORKER, "large.png"), (MASTER, "screen.png")):
            event = {"t": 1.0, "kind": "evidence", "machine": machine, "path": f"{machine}/{name}"}
            journal.write(json.dumps(event) + "\n")
    write_reports(directory)
    page = (directory / "report.html").read_text(encoding="utf-8")
    assert page.count("<img ") == 1
    assert f'src="data:image/png;base64,{base64.b64encode(PICTURE).decode()}"' in page
    assert "default-src &#39;none&#39;; img-src data:; style-src" in page
    assert f"{WORKER}/large.png" in page


def test_every_file_has_its_size_and_digest(tmp_path: Path) -> None:
    directory = run_directory(tmp_path)
    (directory / "junit.xml").write_text("<testsuites/>")
    found = {item.path: item for item in write_reports(directory).evidence}
    log = found[f"{WORKER}/serial-1.log"]
    data = (directory / WORKER / "serial-1.log").read_bytes()
    assert (log.machine, log.size, log.sha256) == (WORKER, len(data), hashlib.sha256(data).hexdigest())
    assert found["junit.xml"].machine is None
    assert "run.json" not in found
    assert "report.html" not in found


def test_junit_gets_the_facts_of_the_run_once(tmp_path: Path) -> None:
    directory = run_directory(tmp_path)
    junit = directory / "junit.xml"
    junit.write_text('<testsuites><testsuite name="pytest"><testcase name="t"/></testsuite></testsuites>')
    write_reports(directory)
    write_reports(directory)
    suite = ET.parse(junit).getroot().find("testsuite")
    assert suite is not None
    assert [child.tag for child in suite] == ["properties", "testcase"]
    found = {item.get("name"): item.get("value") for item in suite[0]}
    assert found["phase.iso-copy.k3s-worker1"] is not None
    assert found["phase.iso-copy.k3s-worker1"].startswith("fail")


def test_a_promised_file_that_is_not_there_is_shown_as_missing(tmp_path: Path) -> None:
    directory = run_directory(tmp_path)
    found = {item.path: item for item in write_reports(directory).evidence}
    assert found["k3s-worker2/serial-1.log"].size is None
    assert ">missing<" in (directory / "report.html").read_text(encoding="utf-8")


def test_files_outside_the_run_are_not_read(tmp_path: Path) -> None:
    directory = run_directory(tmp_path)
    (tmp_path / "outside.log").write_text("not for the page")
    with (directory / "events.jsonl").open("a", encoding="utf-8") as journal:
        for path in ("../outside.log", str(tmp_path / "outside.log")):
            journal.write(json.dumps({"t": 1, "kind": "evidence", "machine": WORKER, "path": path}) + "\n")
    found = {item.path: item for item in write_reports(directory).evidence}
    assert found["../outside.log"].sha256 == ""
    assert "not for the page" not in (directory / "report.html").read_text(encoding="utf-8")


def test_making_the_files_twice_gives_the_same(tmp_path: Path) -> None:
    directory = run_directory(tmp_path)
    write_reports(directory)
    first = (directory / "report.html").read_bytes(), (directory / "run.json").read_bytes()
    write_reports(directory)
    assert first == ((directory / "report.html").read_bytes(), (directory / "run.json").read_bytes())


def test_a_directory_without_journal_gets_no_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write_reports(tmp_path)
    assert list(tmp_path.iterdir()) == []


@links
def test_latest_points_to_the_newest_and_can_be_moved(tmp_path: Path) -> None:
    (tmp_path / "latest.txt").write_text("older\n")
    for name in ("run-1", "run-2"):
        assert point_latest(run_directory(tmp_path, name)) == tmp_path / "latest"
        assert latest_run(tmp_path) == tmp_path / name
        assert (tmp_path / "latest" / "events.jsonl").is_file()
    assert (tmp_path / "latest").readlink() == Path("run-2")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["latest", "run-1", "run-2"]


def test_without_links_a_file_names_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_links(monkeypatch)
    for name in ("run-1", "run-2"):
        assert point_latest(run_directory(tmp_path, name)) == tmp_path / "latest.txt"
        assert latest_run(tmp_path) == tmp_path / name


def test_a_link_that_cannot_be_moved_does_not_stay_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point_latest(run_directory(tmp_path, "run-1"))
    refuse_links(monkeypatch)
    point_latest(run_directory(tmp_path, "run-2"))
    assert latest_run(tmp_path) == tmp_path / "run-2"
    assert not (tmp_path / "latest").is_symlink()


@links
def test_a_system_that_cannot_replace_a_link_removes_it_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point_latest(run_directory(tmp_path, "run-1"))
    whole = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if Path(target).is_symlink():
            raise PermissionError(5, "Access is denied")
        return whole(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    assert point_latest(run_directory(tmp_path, "run-2")) == tmp_path / "latest"
    assert latest_run(tmp_path) == tmp_path / "run-2"


def test_somebody_elses_latest_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest" / "mine").write_text("precious")
    assert latest_run(tmp_path) is None
    assert point_latest(run_directory(tmp_path)) == tmp_path / "latest.txt"
    assert (tmp_path / "latest" / "mine").read_text() == "precious"
    assert latest_run(tmp_path) == tmp_path / "run-1"


def test_a_file_called_latest_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "latest").write_text("precious")
    assert point_latest(run_directory(tmp_path)) == tmp_path / "latest.txt"
    assert (tmp_path / "latest").read_text() == "precious"
    assert latest_run(tmp_path) == tmp_path / "run-1"


@pytest.mark.parametrize("text", ["", "gone\n", "../..\n", "/\n", "\x00\n"])
def test_a_pointer_that_leads_nowhere_is_no_run(tmp_path: Path, text: str) -> None:
    (tmp_path / "latest.txt").write_text(text)
    assert latest_run(tmp_path) is None


def test_a_junit_file_that_was_cut_short_is_left_and_reported(tmp_path: Path) -> None:
    directory = run_directory(tmp_path)
    (directory / "junit.xml").write_text("<testsuites><testsuite")
    assert "junit.xml was left as it is" in str(write_reports(directory).notes)
    assert (directory / "junit.xml").read_text() == "<testsuites><testsuite"


def test_the_index_links_every_report_and_replaces_no_file_of_others(tmp_path: Path) -> None:
    run = run_directory(tmp_path)
    write_reports(run)
    index = run.parent / "index.html"
    for _ in range(2):
        write_index(run.parent)
        text = index.read_text(encoding="utf-8")
        assert f'href="./{run.name}/report.html"' in text
        assert "FAILED: iso-copy of k3s-worker1" in text
        assert "<script" not in text
    index.write_text("mine")
    write_index(run.parent)
    assert index.read_text() == "mine"
