from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.core.verdict import Check, Phase, Status, Verdict
from harness.lab.resume.decision import RecordedMachine, Unseen
from harness.lab.resume.history import find_recorded
from harness.results import journal_events as payload
from harness.results.journal import Journal
from harness.results.model import RunResult
from harness.results.run_json import verdict_to_dict

VMS = Path("/vms")


def journal(reports: Path, run_id: str, *, lab: str = "lab", vms: Path = VMS, last: Phase | None = None) -> None:
    """Leave the journal of a run that was killed: `m1` had passed `last` and had begun what follows."""
    book = Journal(reports / run_id / "events.jsonl")
    book.write(payload.RUN_START, **payload.run_start(RunResult(run_id=run_id, lab=lab)))
    inputs = {"seed": run_id}
    book.write(payload.MACHINE_INPUTS, "m1", vm_directory=str(vms), made_by="run-0", inputs=inputs, carried=[])
    for phase in Phase:
        if last is None or phase is Phase.ENVIRONMENT:
            continue
        book.write(payload.PHASE_START, "m1", **payload.phase_start(phase))
        if phase.number > last.number:
            break
        book.write(
            payload.PHASE_END,
            "m1",
            **payload.phase_end(Verdict(phase, "m1", (Check("c", Status.PASS, "", ""),), 0.0, 1.0)),
        )
    book.write(payload.MACHINE_FACTS, "m1", facts={"boot_ids": ["boot-1", "boot-2"], "machine id": "abc"})
    book.close()
    with (reports / run_id / "events.jsonl").open("a") as torn:
        torn.write('{"t": 9, "kind": "phase-e')


def recorded(reports: Path) -> RecordedMachine:
    found = find_recorded(reports, "lab", VMS, ["m1", "m2"])["m1"]
    assert isinstance(found, RecordedMachine)
    return found


def test_the_newest_run_that_has_the_machine_counts(tmp_path: Path) -> None:
    journal(tmp_path, "run-1", last=Phase.PACKAGES)
    journal(tmp_path, "run-2", last=Phase.BOOT)
    past = recorded(tmp_path)
    assert (past.run_id, past.made_by, past.inputs) == ("run-2", "run-0", {"seed": "run-2"})
    assert [verdict.phase for verdict in past.verdicts] == [Phase.CLEANUP, Phase.CREATION, Phase.BOOT]
    assert past.begun is Phase.ISO_COPY
    assert past.boot_id == "boot-2"
    assert past.installation == {"machine id": "abc"}


def test_what_a_run_carried_and_did_not_ask_for_counts_too(tmp_path: Path) -> None:
    book = Journal(tmp_path / "run-1" / "events.jsonl")
    book.write(payload.RUN_START, **payload.run_start(RunResult(run_id="run-1", lab="lab")))
    held = [Verdict(phase, "m1", (), 0.0, 1.0, carried_from="run-0") for phase in (Phase.CREATION, Phase.BOOT)]
    carried = [verdict_to_dict(verdict) for verdict in held]
    book.write(payload.MACHINE_INPUTS, "m1", vm_directory=str(VMS), made_by="run-0", inputs={}, carried=carried)
    asked = Verdict(Phase.CREATION, "m1", (Check("c", Status.PASS, "", ""),), 0.0, 1.0, carried_from="run-0")
    book.write(payload.PHASE_END, "m1", **payload.phase_end(asked))
    book.close()
    assert recorded(tmp_path).verdicts == (asked, held[1])


@pytest.mark.parametrize(
    ("whole", "damaged"),
    [
        ('"carried": []', '"carried": [{}]'),
        ('"made_by": "run-0"', '"made_by": null'),
        ('"made_by": "run-0"', '"made_by": ["run-0"]'),
        ('"inputs": {', '"inputs": {"x": 1, '),
    ],
)
def test_a_damaged_journal_is_an_error_and_no_older_one_is_asked(tmp_path: Path, whole: str, damaged: str) -> None:
    journal(tmp_path, "run-1", last=Phase.BOOT)
    journal(tmp_path, "run-2", last=Phase.BOOT)
    file = tmp_path / "run-2" / "events.jsonl"
    assert whole in file.read_text()
    file.write_text(file.read_text().replace(whole, damaged))
    unseen = find_recorded(tmp_path, "lab", VMS, ["m1"])["m1"]
    assert isinstance(unseen, Unseen)
    assert str(file) in unseen.what


def test_a_journal_that_cannot_be_read_is_an_error_of_what_no_newer_one_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal(tmp_path, "2026-01-01T00-00-00-0001", last=Phase.BOOT)
    journal(tmp_path, "2026-01-02T00-00-00-0002", last=Phase.BOOT)
    real = Path.open

    def refuse(path: Path, *words: Any, **more: Any) -> Any:
        if path.parent.name == refused:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *words, **more)

    monkeypatch.setattr(Path, "open", refuse)
    refused = "2026-01-02T00-00-00-0002"
    unseen = find_recorded(tmp_path, "lab", VMS, ["m1"])["m1"]
    assert isinstance(unseen, Unseen)
    assert "Permission denied" in unseen.what
    refused = "2026-01-01T00-00-00-0001"
    assert recorded(tmp_path).run_id == "2026-01-02T00-00-00-0002"


def test_runs_of_another_lab_or_directory_are_passed_over(tmp_path: Path) -> None:
    journal(tmp_path, "run-1", last=Phase.BOOT)
    journal(tmp_path, "run-2", lab="other", last=Phase.BOOT)
    journal(tmp_path, "run-3", vms=Path("/elsewhere"), last=Phase.BOOT)
    (tmp_path / "run-4").mkdir()
    (tmp_path / "run-5" / "events.jsonl").mkdir(parents=True)
    (tmp_path / "latest").symlink_to("run-3")
    assert recorded(tmp_path).run_id == "run-1"


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    assert find_recorded(tmp_path / "absent", "lab", VMS, ["m1"]) == {}


def test_when_the_console_last_had_an_event_is_known_over_several_runs(tmp_path: Path) -> None:
    journal(tmp_path, "run-1", last=Phase.BOOT)
    file = tmp_path / "run-1" / "events.jsonl"
    at = "2026-01-01T20:57:38.000+00:00"
    lines = file.read_text().splitlines(keepends=True)
    event = {"t": 1, "at": at, "kind": "guest-event", "machine": "m1", "event": "boot", "boot_id": "b", "fields": {}}
    file.write_text("".join([*lines[:-1], json.dumps(event) + "\n"]))
    assert recorded(tmp_path).event_at == at
    file.write_text("".join(lines).replace('"carried": []', f'"carried": [], "event_at": "{at}"'))
    assert recorded(tmp_path).event_at == at
