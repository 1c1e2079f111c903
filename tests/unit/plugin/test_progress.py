from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fake_clock import FakeClock
from report_samples import static
from run_samples import MASTER, WORKER, create

from harness.core.verdict import Check, Phase, Status, Verdict
from harness.lab.closing import RunEnd
from harness.lab.lab import Lab
from harness.plugin.progress import Progress, claim_lines, kept_lines
from harness.results.journal import Journal
from harness.results.journal_events import NOTE, PHASE_END, PHASE_START, STATE, WAIT, phase_end, phase_start
from harness.results.model import KeptMachine

GOOD = Check("vmx", Status.PASS, "as planned", "as planned")
UNSEEN = Check("disk", Status.NOT_PROVEN, "as planned", "nothing to look at")


@pytest.fixture
def written() -> list[str]:
    return []


@pytest.fixture
def progress(journal: Journal, written: list[str]) -> Progress:
    return Progress(journal, written.append)


def words(line: str) -> list[str]:
    """Return the words of a line after its seconds."""
    return line.partition(" s  ")[2].split()


def test_a_line_names_the_machine_its_phase_and_its_state(
    journal: Journal, progress: Progress, written: list[str]
) -> None:
    journal.write(PHASE_START, WORKER, **phase_start(Phase.BOOT))
    journal.write(STATE, WORKER, text="installer-start\nmore")
    journal.write(NOTE, WORKER, text="not shown")
    journal.write(PHASE_END, WORKER, **phase_end(Verdict(Phase.BOOT, WORKER, (GOOD,), 0, 1)))
    journal.write(STATE, WORKER, text="k3s is activating", phase="cluster")
    journal.write(PHASE_END, None, **phase_end(Verdict(Phase.ENVIRONMENT, None, (GOOD,), 0, 1)))
    assert written == [], "a machine's thread writes nothing"
    progress.flush()
    assert [words(line) for line in written] == [
        [WORKER, "boot", "installer-start"],
        [WORKER, "boot", "PASS"],
        [WORKER, "cluster", "k3s", "is", "activating"],
        ["lab", "environment", "PASS"],
    ]


def test_a_line_is_written_once(journal: Journal, progress: Progress, written: list[str]) -> None:
    journal.write(STATE, WORKER, text="boot")
    progress.flush()
    progress.flush()
    assert len(written) == 1


def test_a_long_state_is_cut(journal: Journal, progress: Progress, written: list[str]) -> None:
    journal.write(STATE, WORKER, text="x" * 500)
    progress.flush()
    assert words(written[0])[-1] == "x" * 100


def test_a_blocked_phase_has_no_line_and_a_carried_one_names_its_run(
    journal: Journal, progress: Progress, written: list[str]
) -> None:
    journal.write(PHASE_END, WORKER, **phase_end(Verdict(Phase.BOOT, WORKER, (), 0, 0, blocked_by="creation")))
    carried = Verdict(Phase.CREATION, WORKER, (GOOD,), 0, 1, carried_from="run-1")
    journal.write(PHASE_END, WORKER, **phase_end(carried))
    progress.flush()
    assert [words(line) for line in written] == [[WORKER, "creation", "PASS,", "proven", "by", "run", "run-1"]]


def test_the_summary_counts_the_checks_and_names_what_is_open(lab: Lab, progress: Progress) -> None:
    lab.verdicts.add(Verdict(Phase.CREATION, WORKER, (GOOD, GOOD, UNSEEN), 0, 1))
    lab.verdicts.add(Verdict(Phase.BOOT, WORKER, (), 0, 0, blocked_by="creation of k3s-worker1"))
    lines = progress.summary(lab, RunEnd(1, problems=("junit.xml: full",)))
    assert lines == [
        "checks: 2 passed, 0 failed, 0 errors, 1 not proven; 1 phases blocked",
        "not proven: creation of k3s-worker1: disk: nothing to look at",
        "not done: junit.xml: full",
    ]


def test_the_summary_ends_with_the_report_and_the_login(lab: Lab, progress: Progress) -> None:
    create(lab.context, lab.context.plan.machine(WORKER))
    end = RunEnd(0, kept={WORKER: "keep: always"}, result=static())
    *first, report, kept, login, remove = progress.summary(lab, end)
    assert first[: len(static().claims)] == claim_lines(static())[: len(static().claims)]
    assert report == f"report: {lab.run.html}"
    assert kept == f"kept (keep: always): {WORKER}"
    assert (login, remove) == (f"log in: ssh -F {lab.run.ssh_config} {WORKER}", "remove: lab down")
    assert Path(lab.run.html).name == "report.html"


def test_the_summary_ends_with_the_next_steps_of_the_result(lab: Lab, progress: Progress) -> None:
    create(lab.context, lab.context.plan.machine(WORKER))
    machines = tuple(replace(machine, ssh_logins=1) for machine in static().machines)
    result = replace(static(), machines=machines, kept=(KeptMachine(WORKER),))
    lines = progress.summary(lab, RunEnd(0, kept={WORKER: "keep: always"}, result=result))
    assert lines[-2:] == [f"log in: lab ssh {WORKER}", "remove: lab down"]


def test_kept_machines_are_grouped_by_reason() -> None:
    end = RunEnd(0, kept={WORKER: "not touched", MASTER: "red", "w2": "not touched"}, kept_until="2026-01-02")
    assert kept_lines(end, [WORKER, MASTER, "w2"]) == [
        f"kept until 2026-01-02 (not touched): {WORKER}, w2",
        f"kept until 2026-01-02 (red): {MASTER}",
    ]


def test_each_claim_is_a_line_and_a_partial_run_names_what_it_left_out() -> None:
    run = replace(static(), required=(), left_out=tuple(f"test_{number}.py" for number in range(9)))
    lines = claim_lines(run)
    count = len(run.claims)
    assert [line[12:].startswith(claim.title) for line, claim in zip(lines, run.claims, strict=False)] == [True] * count
    assert all(line.startswith("NOT PROVEN") for line in lines[:count])
    assert lines[count].startswith("PARTIAL RUN: ")
    assert lines[count + 1 :] == [f"left out: test_{number}.py" for number in range(5)]


def test_what_is_waited_for_is_written_where_nothing_else_is(tmp_path: Path) -> None:
    clock, written = FakeClock(), list[str]()
    journal = Journal(tmp_path / "waits.jsonl", clock.monotonic)
    progress = Progress(journal, written.append, 30)
    journal.write(PHASE_START, WORKER, **phase_start(Phase.BOOT))
    journal.write(WAIT, WORKER, text="an SSH login", limit_s=2700)
    clock.sleep(30)
    progress.flush()
    progress.flush()
    journal.close()
    assert [words(line) for line in written] == [
        [WORKER, "boot", *["waiting", "for", "an", "SSH", "login", "(0.5", "of", "45", "min)"]],
    ]
