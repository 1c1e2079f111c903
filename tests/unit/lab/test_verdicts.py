from __future__ import annotations

import threading
from pathlib import Path

import pytest

from harness.core.secret import Secret
from harness.core.verdict import Check, Phase, Status, Verdict
from harness.lab.verdicts import Verdicts
from harness.phases import MACHINE_PHASES
from harness.results.journal import Journal, read_journal

GOOD = Check("vmx", Status.PASS, "as planned", "as planned")
BAD = Check("vmx", Status.FAIL, "as planned", "memsize is 512")


def verdict(phase: Phase = Phase.CREATION, check: Check = GOOD, machine: str | None = "m") -> Verdict:
    return Verdict(phase, machine, (check,), 0.0, 1.0)


@pytest.fixture
def verdicts(journal: Journal) -> Verdicts:
    return Verdicts(journal, heartbeat_s=0.01)


def test_a_verdict_is_journalled_and_then_known(verdicts: Verdicts, journal: Journal) -> None:
    verdicts.expect("m", Phase.CREATION)
    assert verdicts.known("m", Phase.CREATION) is None
    assert not verdicts.complete
    verdicts.add(verdict())
    assert verdicts.known("m", Phase.CREATION) == verdict()
    assert verdicts.wait_for("m", Phase.CREATION) == verdict()
    assert verdicts.recorded() == [verdict()]
    assert verdicts.complete
    (event,) = read_journal(journal.path)
    assert (event["kind"], event["machine"], event["phase"]) == ("phase-end", "m", "creation")


def test_no_secret_is_in_a_verdict(verdicts: Verdicts) -> None:
    secret = Secret("geheim-0815")
    leaking = Check("vmx", Status.FAIL, "as planned", f"password {secret.reveal()}")
    assert "geheim-0815" not in str(verdicts.add(verdict(check=leaking)))
    assert "geheim-0815" not in str(verdicts.recorded())


def test_a_verdict_that_cannot_be_journalled_is_not_published(tmp_path: Path) -> None:
    class FullDisk(Journal):
        def write(self, kind: str, machine: str | None = None, **fields: object) -> None:
            raise OSError(28, "No space left on device")

    journal = FullDisk(tmp_path / "events.jsonl")
    verdicts = Verdicts(journal)
    with pytest.raises(OSError, match="No space left"):
        verdicts.add(verdict())
    journal.close()
    assert verdicts.known("m", Phase.CREATION) is None
    assert verdicts.recorded() == []


def test_who_waits_is_called_meanwhile(verdicts: Verdicts) -> None:
    verdicts.expect("m", Phase.CREATION)
    beats = threading.Event()

    def publish() -> None:
        beats.wait(10)
        verdicts.publish(verdict())

    publisher = threading.Thread(target=publish)
    publisher.start()
    assert verdicts.wait_for("m", Phase.CREATION, beats.set) == verdict()
    publisher.join()


def test_a_phase_that_the_run_does_not_need_is_an_error(verdicts: Verdicts) -> None:
    with pytest.raises(KeyError):
        verdicts.wait_for("m", Phase.BOOT)


def test_an_earlier_phase_that_failed_blocks(verdicts: Verdicts) -> None:
    verdicts.add(verdict(Phase.CLEANUP))
    assert verdicts.ready_for("m", Phase.CREATION) is None
    verdicts.add(verdict(Phase.CREATION, BAD))
    assert verdicts.ready_for("m", Phase.BOOT) == verdict(Phase.CREATION, BAD)
    assert verdicts.ready_for("m", Phase.GUESTS) == verdict(Phase.CREATION, BAD), "the phases after it are not asked"


def test_nothing_blocks_where_every_phase_passed(verdicts: Verdicts) -> None:
    for module in MACHINE_PHASES:
        verdicts.add(verdict(module.PHASE))
    assert verdicts.ready_for("m", Phase.GUESTS) is None
