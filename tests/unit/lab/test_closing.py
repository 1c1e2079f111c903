"""The end of machines that a session worked on, and what is told of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.core.errors import HostError
from harness.lab import closing
from harness.lab.closing import delete_machines
from harness.machine.removal import Removal
from harness.ownership.marker import ForeignPath, ForeignReason
from harness.results.journal import Journal, read_journal

GONE = Removal("w1", left=(ForeignPath(Path("thesis.docx"), ForeignReason.NAME),))
STUCK = Removal("w2", error=HostError("its disk is in use", remedy="close it"))


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What `delete_machines` uses of a host, with two machines of which one cannot be removed."""
    monkeypatch.setattr(closing, "remove_all", lambda vmrun, ledger, names, power_s: [GONE, STUCK])
    monkeypatch.setattr(closing, "remove_rest", lambda vmrun, ledger: None)
    plan = SimpleNamespace(spec=SimpleNamespace(deadlines_s=SimpleNamespace(power=1)))
    ledger = SimpleNamespace(read=lambda: None, delete_scratch_file=lambda: None)
    journal = Journal(tmp_path / "events.jsonl")
    yield SimpleNamespace(plan=plan, vmrun=None, ledger=ledger, journal=journal)
    journal.close()


def test_what_became_of_a_machine_is_that_machines_note_and_what_stays_is_returned(host: Any) -> None:
    assert delete_machines(host, ["w1", "w2"]) == [str(STUCK)]
    told = [(event["kind"], event["machine"], event["text"]) for event in read_journal(host.journal.path)]
    assert told == [("note", "w1", str(GONE))]


def test_without_a_ledger_nothing_is_removed(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable() -> None:
        raise HostError("the ledger has version 2, not 3", remedy="-")

    monkeypatch.setattr(host.ledger, "read", unreadable)
    monkeypatch.setattr(closing, "remove_all", lambda *_: pytest.fail("machines were removed"))
    monkeypatch.setattr(closing, "remove_rest", lambda *_: pytest.fail("the rest was removed"))
    assert delete_machines(host, ["w1"]) == []
