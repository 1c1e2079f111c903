from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from run_samples import RUN_ID, WORKER, create

from harness.core.errors import HostError
from harness.core.layout import RECORD
from harness.core.verdict import Check, Phase, Status, Verdict
from harness.lab.resume import machine_record
from harness.lab.resume.decision import RecordedMachine, Unseen
from harness.lab.resume.history import find_recorded
from harness.machine.context import RunContext
from harness.ownership.ledger import MachineEntry

RECORDED = RecordedMachine(
    RUN_ID,
    RUN_ID,
    {"the seed": "aa"},
    (Verdict(Phase.CREATION, WORKER, (Check("vmx", Status.PASS, "-", "-"),), 0.0, 1.0),),
    Phase.BOOT,
    "boot-1",
    {"machine id": "abc"},
)


@pytest.fixture
def entry(context: RunContext) -> MachineEntry:
    return create(context, context.plan.machine(WORKER))


def record(entry: MachineEntry) -> Path:
    return Path(entry.directory) / RECORD


def read(context: RunContext) -> RecordedMachine | Unseen | None:
    return machine_record.read_records(context.ledger, [WORKER]).get(WORKER)


def test_what_was_written_is_read_back(context: RunContext, entry: MachineEntry) -> None:
    assert read(context) is None
    machine_record._write(entry, RECORDED)
    assert read(context) == RECORDED


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "[" * 200_000, "\0", '{"version": 2}', '{"version": 1, "verdicts": [{}]}']
)
def test_a_damaged_record_is_not_taken_for_none(context: RunContext, entry: MachineEntry, text: str) -> None:
    record(entry).write_text(text, encoding="utf-8")
    unseen = read(context)
    assert isinstance(unseen, Unseen)
    assert str(record(entry)) in unseen.what


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 2),
        ("run_id", 5),
        ("made_by", None),
        ("made_by", [RUN_ID]),
        ("boot_id", None),
        ("event_at", 1.5),
        ("inputs", [["the seed", "aa"]]),
        ("inputs", {"the seed": None}),
        ("installation", {"machine id": None}),
        ("installation", {"machine id": 7}),
        ("installation", "abc"),
        ("begun", "breakfast"),
        ("verdicts", None),
    ],
)
def test_a_field_of_another_type_is_damage_and_no_other_machine(
    context: RunContext, entry: MachineEntry, field: str, value: object
) -> None:
    """Read as text it would differ from what is there, and the machine would be built anew."""
    machine_record._write(entry, RECORDED)
    written = json.loads(record(entry).read_text(encoding="utf-8"))
    record(entry).write_text(json.dumps(written | {field: value}), encoding="utf-8")
    assert isinstance(read(context), Unseen)


def test_a_directory_in_its_place_is_not_taken_for_none(context: RunContext, entry: MachineEntry) -> None:
    record(entry).mkdir()
    assert isinstance(read(context), Unseen)


def test_a_ledger_that_cannot_be_read_has_no_records(context: RunContext, entry: MachineEntry) -> None:
    context.ledger.path.write_text("{", encoding="utf-8")
    assert machine_record.read_records(context.ledger, [WORKER]) == {}


def test_nothing_is_written_into_a_directory_of_another_machine(context: RunContext, entry: MachineEntry) -> None:
    machine_record._write(replace(entry, run_id="another"), RECORDED)
    machine_record._write(entry, replace(RECORDED, made_by="another"))
    assert not record(entry).exists()


@pytest.mark.skipif(os.name == "nt", reason="a link needs a right there")
def test_a_link_in_its_place_is_neither_followed_nor_lost(context: RunContext, entry: MachineEntry) -> None:
    foreign = context.run.directory.parent / "foreign"
    foreign.parent.mkdir(parents=True, exist_ok=True)
    link = record(entry)
    machine_record._write(entry, RECORDED)
    link.rename(foreign)
    text = foreign.read_text(encoding="utf-8")
    link.symlink_to(foreign)
    assert isinstance(read(context), Unseen)
    with pytest.raises(HostError, match="cannot be written"):
        machine_record._write(entry, RECORDED)
    assert foreign.read_text(encoding="utf-8") == text
    assert link.is_symlink()


def test_a_record_is_taken_where_no_newer_journal_is(context: RunContext, tmp_path: Path) -> None:
    older = tmp_path / "2026-01-01T00-00-00-0001"
    (older / "events.jsonl").mkdir(parents=True)
    beside: dict[str, RecordedMachine | Unseen] = {WORKER: RECORDED}
    assert find_recorded(tmp_path, "lab", tmp_path, [WORKER], beside) == beside
    assert find_recorded(tmp_path / "absent", "lab", tmp_path, [WORKER], beside) == beside
