from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.core.secret import Secret
from harness.core.verdict import Check, Phase, Status, Verdict
from harness.lab.lab import Lab
from harness.lab.opening import journal_run_start
from harness.lab.selection import Selection
from harness.plugin.assertions import Proof
from harness.plugin.opening import _KEY, LabRun
from harness.plugin.progress import Progress
from harness.plugin.run_hooks import pytest_runtest_makereport, pytest_sessionfinish, pytest_terminal_summary
from harness.results.claim_rules import Asked
from harness.results.journal import Journal, read_journal


@pytest.fixture
def run(config: Any, lab: Lab, journal: Journal, selection: Selection) -> LabRun:
    Path(config.option.xmlpath).write_text("<testsuites/>", encoding="utf-8")
    run = LabRun(lab, Proof(lab, journal, lambda: None), Progress(journal, lambda _: None), Asked())
    config.stash[_KEY] = run
    journal_run_start(lab, selection, ["scenarios"], Asked())
    return run


def ended(hook: Generator[None, Any, Any], sent: object = None, error: BaseException | None = None) -> Any:
    """Run a hook wrapper around hooks with that result; return its own."""
    next(hook)
    with pytest.raises(StopIteration) as caught:
        hook.throw(error) if error is not None else hook.send(sent)
    return caught.value.value


def item_of(config: Any, phase: str | None) -> Any:
    mark = SimpleNamespace(args=(phase,)) if phase else None
    return SimpleNamespace(config=config, get_closest_marker=lambda name: mark, nodeid="test_x.py::test_x")


def report_of(outcome: Any, longrepr: Any = None) -> pytest.TestReport:
    return pytest.TestReport("test_x.py::test_x", ("f", 1, "d"), {}, outcome, longrepr, "call", duration=0.5)


CALL: Any = SimpleNamespace(excinfo=None)


def outcomes(lab: Lab) -> list[str]:
    return [event["outcome"] for event in read_journal(lab.run.events) if event["kind"] == "test"]


def test_the_outcome_of_a_test_of_the_lab_is_journaled_and_masked(config: Any, run: LabRun) -> None:
    Secret("hunter23")
    report = report_of("failed", "hunter23 is wrong")
    assert ended(pytest_runtest_makereport(item_of(config, "boot"), CALL), report) is report
    assert outcomes(run.lab) == ["failed"]
    assert report.longreprtext == "*** is wrong"


def test_a_test_without_a_phase_is_none_of_the_lab(config: Any, run: LabRun) -> None:
    ended(pytest_runtest_makereport(item_of(config, None), CALL), report_of("passed"))
    assert outcomes(run.lab) == []


def test_an_outcome_that_cannot_be_journaled_is_one_problem(config: Any, run: LabRun) -> None:
    broken: Any = run.proof
    broken.note = lambda *_: 1 / 0
    for _ in range(2):
        ended(pytest_runtest_makereport(item_of(config, "boot"), CALL), report_of("passed"))
    assert run.problems == ("a test's outcome: ZeroDivisionError: division by zero",)


def finish(config: Any, status: int, error: BaseException | None = None) -> Any:
    session: Any = SimpleNamespace(config=config, exitstatus=status)
    ended(pytest_sessionfinish(session), error=error)
    return session.exitstatus


def test_a_run_in_which_no_test_passed_is_red(config: Any, run: LabRun) -> None:
    assert finish(config, pytest.ExitCode.OK) == pytest.ExitCode.TESTS_FAILED
    assert run.end is not None
    assert (run.end.problems, run.lab.run.html.is_file()) == ((), True)


def test_a_verdict_that_no_test_reported_makes_the_run_red(config: Any, run: LabRun) -> None:
    run.proof.passed = 1
    run.lab.verdicts.add(Verdict(Phase.BOOT, "k3s-worker1", (Check("x", Status.FAIL, "", ""),), 0, 1))
    assert finish(config, pytest.ExitCode.OK) == pytest.ExitCode.TESTS_FAILED


def test_results_that_pytest_could_not_write_are_a_problem_and_the_run_is_closed(config: Any, run: LabRun) -> None:
    assert finish(config, pytest.ExitCode.INTERRUPTED, OSError(28, "No space left")) == pytest.ExitCode.INTERRUPTED
    assert run.end is not None
    assert run.end.problems == ("pytest's own results: [Errno 28] No space left",)


def test_a_session_that_used_no_lab_keeps_its_status(config: Any) -> None:
    assert finish(config, pytest.ExitCode.OK) == pytest.ExitCode.OK


class FakeReporter:
    """Records the lines of pytest's terminal reporter."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def section(self, title: str) -> None:
        self.lines.append(f"== {title}")

    def write_line(self, line: str) -> None:
        self.lines.append(line)


def test_the_summary_is_written_at_the_end_of_a_run_only(config: Any, run: LabRun) -> None:
    reporter: Any = FakeReporter()
    pytest_terminal_summary(reporter, config)
    assert reporter.lines == [], "the run has not ended"
    finish(config, pytest.ExitCode.OK)
    pytest_terminal_summary(reporter, config)
    assert reporter.lines[0] == "== lab"
    assert f"report: {run.lab.run.html}" in reporter.lines
