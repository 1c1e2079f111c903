"""Hooks of a run: outcomes, the end of the run, the summary."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from harness.config.model import Keep
from harness.core.best_effort import run_and_collect_error
from harness.core.verdict import Status
from harness.lab.closing import close_run
from harness.lab.required_claims import judge_claims_of
from harness.plugin.assertions import mask
from harness.plugin.opening import run_of
from harness.plugin.requested import machine_of, phase_of
from harness.plugin.terminal import write_section


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Journal the outcome of each test of the lab."""
    report = yield
    run, phase = run_of(item.config), phase_of(item)
    if run is not None and phase is not None:
        error = call.excinfo.value if call.excinfo is not None else None
        note = partial(run.proof.note, report, phase, machine_of(item), error)
        errors = run_and_collect_error("a test's outcome", note)
        run.problems = tuple(dict.fromkeys((*run.problems, *errors)))
    if run is not None:
        mask(report)
    return report


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Judge and end the run after pytest wrote its own results.

    So it is if pytest could not.
    """
    run = run_of(session.config)
    if run is None:
        return (yield)
    try:
        yield
    except OSError as error:
        run.problems += (f"pytest's own results: {error}",)
    finally:
        run.problems += run_and_collect_error("the verdicts of the guests", run.proof.finish)
        hidden = any(verdict.status in (Status.FAIL, Status.ERROR) for verdict in run.lab.verdicts.recorded())
        held_back = any(claim.holds_back for claim in judge_claims_of(run.lab, run.asked))
        if session.exitstatus == pytest.ExitCode.OK and (hidden or held_back or not run.proof.passed):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        option = session.config.option
        keep = Keep(option.keep or run.lab.context.plan.spec.keep)
        status, junit = int(session.exitstatus), Path(option.xmlpath)
        run.end = close_run(run.lab, keep, status, junit=junit, problems=run.problems)
        session.exitstatus = run.end.exit_status
    return None


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Write the claims, open points, path of the report, and login."""
    run = run_of(config)
    if run is None or run.end is None:
        return
    run.progress.flush()
    write_section(terminalreporter, "lab", run.progress.summary(run.lab, run.end))
