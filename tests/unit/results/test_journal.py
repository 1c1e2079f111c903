from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from harness.results.journal import Journal, read_journal


def test_each_event_is_a_line_with_its_time_kind_and_machine(tmp_path: Path) -> None:
    times = iter([100.0, 101.5, 102.0])
    journal = Journal(tmp_path / "run" / "events.jsonl", lambda: next(times))
    journal.write("state", "k3s-master1", text="läuft\nnow")
    journal.write("note")
    journal.close()
    first, second = read_journal(journal.path)
    assert (first["t"], first["kind"], first["machine"], first["text"]) == (1.5, "state", "k3s-master1", "läuft\nnow")
    assert first["at"].endswith("+00:00")
    assert (second["t"], second["machine"]) == (2.0, None)
    assert journal.path.read_bytes().count(b"\n") == 2


def test_an_event_is_on_disk_before_the_next_line_of_code(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    journal.write("note", text="x")
    assert len(list(read_journal(journal.path))) == 1
    journal.close()


def test_listeners_hear_what_is_written_without_its_secrets(tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []
    journal = Journal(tmp_path / "events.jsonl")
    journal.listen(heard.append)
    journal.write("note", argv=["vmrun", "-gp", "hunter2"], path=tmp_path)
    journal.close()
    assert heard[0]["kind"] == "note"
    assert "hunter2" not in str(heard) + journal.path.read_text()
    assert next(read_journal(journal.path))["path"] == str(tmp_path)


def test_events_after_the_end_are_dropped_and_closing_twice_is_fine(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    journal.close()
    journal.write("late")
    journal.close()
    assert list(read_journal(journal.path)) == []


def test_threads_do_not_tear_each_others_lines(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")

    def write(number: int) -> None:
        for _ in range(50):
            journal.write("state", f"m{number}", text="x" * 500)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    assert len(list(read_journal(journal.path))) == 200


def test_a_journal_that_a_crash_cut_short_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"kind": "a"}\n[1]\n\xff\xfe\n{"kind": "b"}\n{"kind": "c", "te')
    assert [event["kind"] for event in read_journal(path)] == ["a", "b"]


def test_a_journal_goes_on_where_an_earlier_one_ended(tmp_path: Path) -> None:
    for text in ("one", "two"):
        journal = Journal(tmp_path / "events.jsonl")
        journal.write("note", text=text)
        journal.close()
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["one", "two"]
