from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from needs import links

from harness.core.errors import HostError
from harness.ownership.ledger import Content, ForwardingEntry, HomeEntry, Ledger, MachineEntry, ProcessEntry
from harness.system import process


def machine(name: str, directory: Path, run_id: str = "run-1") -> MachineEntry:
    return MachineEntry(name, str(directory / name), run_id, "2026-01-02T03:04:05+00:00", "me@here", "ab" * 16)


def ledger_in(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "vms" / "ledger.json", "lab")


def test_every_kind_of_entry_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    entries = (
        machine("m1", tmp_path),
        replace(machine("m2", tmp_path), found=("thesis.docx",)),
        ForwardingEntry("m1", "vmnet1", 2201),
        HomeEntry(str(tmp_path / "home")),
        ProcessEntry("registry", ("registry", "serve", "/etc/registry.yml"), 4711, 1.5, 40123),
    )
    for entry in entries:
        ledger_in(tmp_path).write(entry)
    ledger_in(tmp_path).keep_until("2026-01-03T03:04:05+00:00")
    assert ledger_in(tmp_path).read() == Content(entries, "2026-01-03T03:04:05+00:00")
    assert ledger_in(tmp_path).machine("m2") == entries[1]


def test_a_second_entry_of_a_kind_and_name_replaces_the_first(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    ledger.write(machine("m1", tmp_path))
    ledger.write(ForwardingEntry("m1", "vmnet1", 2201))
    ledger.write(machine("m1", tmp_path, "run-2"))
    assert [entry.kind for entry in ledger.read().entries] == ["forwarding", "machine"]
    assert ledger.machines()[0].run_id == "run-2"


def test_the_file_is_deleted_with_the_last_entry(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    ledger.write(machine("m1", tmp_path))
    ledger.write(machine("m2", tmp_path))
    ledger.keep_until("2026-01-03T03:04:05+00:00")
    ledger.delete(machine("m1", tmp_path))
    assert [item.name for item in ledger.machines()] == ["m2"]
    ledger.delete(machine("m2", tmp_path))
    assert list((tmp_path / "vms").iterdir()) == []


def test_deleting_an_entry_that_does_not_exist_is_fine(tmp_path: Path) -> None:
    ledger_in(tmp_path).delete(machine("m1", tmp_path))
    assert list((tmp_path / "vms").iterdir()) == []


def test_the_ledger_of_another_lab_is_refused(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger.json", "theirs").write(machine("m1", tmp_path))
    with pytest.raises(HostError, match="belongs to the lab 'theirs'"):
        Ledger(tmp_path / "ledger.json", "ours").read()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": 1, "lab": "lab", "machines": []}',
        '{"version": 2, "lab": "lab", "things": [], "kept_until": null}',
        '{"version": 3, "lab": "lab"}',
        '{"version": 3, "lab": "lab", "kept_until": null, "things": [{"kind": "castle"}]}',
        '{"version": 3, "lab": "lab", "kept_until": null, "things": [{"kind": "machine", "nonsense": 1}]}',
        '{"version": 3, "lab": "lab", "kept_until": null, "things": ["machine"]}',
        "[" * 200_000,
        *(
            '{"version": 3, "lab": "lab", "kept_until": null, "things": [' + entry + "]}"
            for entry in (
                '{"kind": "machine", "name": "m1"}',
                '{"kind": "machine", "name": "m1", "directory": 5, "run_id": "r"}',
                '{"kind": "machine", "name": "m1", "directory": null, "run_id": "r"}',
                '{"kind": "machine", "name": "m1", "directory": "/lab\\u0000/m1", "run_id": "r"}',
                '{"kind": "machine", "name": "m1", "directory": "/lab/m1", "run_id": "r", "found": "m1.vmx"}',
                '{"kind": "machine", "name": "m1", "directory": "/lab/m1", "run_id": "r", "found": [7]}',
                '{"kind": "forwarding", "name": "m1", "network": "vmnet1", "port": "22"}',
                '{"kind": "process", "name": "p", "argv": "sh -c", "pid": 1}',
                '{"kind": "process", "name": "p", "argv": ["sh"], "pid": true}',
                '{"kind": ["home"], "name": "/h"}',
            )
        ),
    ],
)
def test_a_ledger_that_is_damaged_or_of_another_version_is_refused_and_stays(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ledger.json"
    path.write_text(text)
    with pytest.raises(HostError) as caught:
        Ledger(path, "lab").read()
    assert caught.value.remedy
    for change in (Ledger(path, "lab").write, Ledger(path, "lab").delete):
        with pytest.raises(HostError):
            change(machine("m1", tmp_path))
    assert path.read_text() == text


def test_the_scratch_file_of_a_killed_session_is_deleted(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    ledger.write(machine("m1", tmp_path))
    for name in ("ledger.json.0a1b2c3d.tmp", "ledger.lock"):
        (tmp_path / "vms" / name).write_text("{")
    ledger.delete_scratch_file()
    assert [path.name for path in (tmp_path / "vms").iterdir()] == ["ledger.json"]


@links
def test_no_link_or_file_in_the_place_of_a_scratch_file_is_written_or_deleted(tmp_path: Path) -> None:
    (tmp_path / "vms").mkdir()
    (tmp_path / "precious").write_text("precious")
    for name in ("ledger.tmp", "ledger.json.tmp", "ledger.json.0a1b2c3d.tmp"):
        (tmp_path / "vms" / name).symlink_to(tmp_path / "precious")
    (tmp_path / "vms" / "ledger.json.old.tmp").write_text("mine")
    before = sorted(path.name for path in (tmp_path / "vms").iterdir())
    ledger = ledger_in(tmp_path)
    ledger.write(machine("m1", tmp_path))
    ledger.delete_scratch_file()
    assert (tmp_path / "precious").read_text() == "precious"
    assert sorted(path.name for path in (tmp_path / "vms").iterdir()) == sorted([*before, "ledger.json"])


def test_a_change_is_on_the_medium_before_it_is_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    fsync, replace_file = os.fsync, Path.replace

    def flush(handle: int) -> None:
        order.append("flushed")
        fsync(handle)

    def put(path: Path, target: Path) -> Path:
        order.append("in place")
        return replace_file(path, target)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(Path, "replace", put)
    ledger_in(tmp_path).write(machine("m1", tmp_path))
    assert order[:2] == ["flushed", "in place"]


def test_a_reader_waits_for_a_thread_that_writes(tmp_path: Path) -> None:
    """Windows refuses to replace a file that another thread has open."""
    ledger = ledger_in(tmp_path)
    ledger.write(machine("m1", tmp_path))
    with ThreadPoolExecutor(1) as pool:
        with ledger._lock:
            reading = pool.submit(ledger.read)
            with pytest.raises(TimeoutError):
                reading.result(0.2)
        assert reading.result(10) == ledger.read()


def test_threads_with_ledgers_of_their_own_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: ledger_in(tmp_path).write(machine(f"m{number}", tmp_path)), range(24)))
    assert len(ledger_in(tmp_path).machines()) == 24


def test_processes_lose_nothing(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom harness.ownership.ledger import Ledger, HomeEntry\n"
        "for n in range(10): Ledger(Path(sys.argv[1]), 'lab').write(HomeEntry(f'{sys.argv[2]}-{n}'))\n"
    )
    path = tmp_path / "ledger.json"

    def work(number: int) -> int:
        return process.run([sys.executable, "-c", program, path, str(number)], timeout_s=120).returncode

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(work, range(3))) == [0, 0, 0]
    assert len(json.loads(path.read_text())["things"]) == 30


def test_a_ledger_that_cannot_be_written_is_an_error_of_the_host(tmp_path: Path) -> None:
    (tmp_path / "vms").touch()
    with pytest.raises(HostError, match="cannot be written"):
        ledger_in(tmp_path).write(machine("m1", tmp_path))
    ledger_in(tmp_path).delete_scratch_file()
