"""Translate verdicts into test outcomes.

Each bad verdict fails one test. A check that was not made skips its test with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.core.errors import HarnessError
from harness.core.verdict import Check, Phase, Status, Verdict
from harness.lab.lab import Lab
from harness.phases.runner import from_exception
from harness.plugin.requested import check_name
from harness.results import journal_events as payload
from harness.results.journal import Journal
from harness.results.model import NOT_ASKED, CaseResult, Outcome
from harness.results.plain_text import plain

PROVEN_BY = "proven_by_run"  # the property of a test whose check an earlier run made


class Proof:
    """Assertions on verdicts, and the verdict of the guests phase.

    That phase has no module: the outcomes of its tests are its checks.
    """

    def __init__(self, lab: Lab, journal: Journal, waiting: Callable[[], None]) -> None:
        self._lab = lab
        self._journal = journal
        self._waiting = waiting
        self._reported: set[tuple[Phase, str | None, str]] = set()
        self._guest_checks: dict[str, list[Check]] = {}
        self._guest_spans: dict[str, tuple[float, float]] = {}
        self._guest_blocks: dict[str, str] = {}
        self.passed = 0

    def check(self, machine: str | None, phase: Phase, name: str, item: pytest.Item | None = None) -> None:
        """Pass, fail or skip the running test by that check.

        The test `item` gets the earlier run that made the check as a property, which JUnit has too.
        """
        verdict = self._lab.verdict(machine, phase, self._waiting)
        if verdict.carried_from and item is not None:
            item.user_properties.append((PROVEN_BY, verdict.carried_from))
        check = verdict.check(name)
        if check is not None:
            self._assert(verdict, check)
            return
        if verdict.blocked_by:
            self._blocked(self._culprit(verdict))
            return
        self._blocked(verdict)

    def require(self, machine: str, phase: Phase) -> None:
        """Fail or skip the running test if an earlier phase blocks it.

        The phase is one of the same machine.
        """
        blocker = self._lab.verdicts.ready_for(machine, phase, self._waiting)
        if blocker is not None:
            culprit = self._culprit(blocker)
            self._guest_blocks.setdefault(machine, culprit.title)
            self._blocked(culprit)

    def _assert(self, verdict: Verdict, check: Check) -> None:
        if check.status is Status.NOT_ASKED:
            pytest.skip(f"{NOT_ASKED}{check.seen}")
        if check.status is Status.NOT_PROVEN:
            pytest.skip(f"not proven: {check.seen}")
        if check.status is Status.BLOCKED:
            pytest.skip(f"blocked: {check.seen}")
        if check.status is not Status.PASS:
            self._reported.add((verdict.phase, verdict.machine, check.name))
            pytest.fail(f"{verdict.title}: {check}", pytrace=False)

    def _culprit(self, verdict: Verdict) -> Verdict:
        """Return the verdict at the root of a blocked one."""
        by_title = {earlier.title: earlier for earlier in self._lab.verdicts.recorded()}
        while verdict.blocked_by in by_title:
            verdict = by_title[verdict.blocked_by]
        return verdict

    def _blocked(self, culprit: Verdict) -> None:
        """Fail with the culprit if it was not reported yet, else skip.

        The skip names it.
        """
        bad = next((check for check in culprit.checks if check.status in (Status.FAIL, Status.ERROR)), None)
        if bad is not None and (culprit.phase, culprit.machine, bad.name) not in self._reported:
            self._assert(culprit, bad)
        pytest.skip(f"blocked: {culprit.title} ended with {bad.name if bad else culprit.status.value}")

    # -- the guests phase: its tests are its checks --------------------------------------------------------------------

    def note(
        self,
        report: pytest.TestReport,
        phase: Phase,
        machine: str | None,
        error: BaseException | None = None,
    ) -> None:
        """Journal the outcome of a test.

        In the guests phase it is a check, too.

        Args:
            report: What pytest reports of the test.
            phase: The phase that it is marked with.
            machine: The machine that it is about.
            error: What it raised.
        """
        if report.when != "call" and not (report.when == "setup" and not report.passed) and not report.failed:
            return
        reason = _reason(report)
        earlier = str(dict(report.user_properties).get(PROVEN_BY, ""))
        case = CaseResult(report.nodeid, outcome_of(report), reason, report.duration, earlier)
        self.passed += report.when == "call" and report.passed
        if phase is Phase.GUESTS and machine is not None:
            self._note_guest(report, machine, error)
        self._journal.write(payload.TEST, machine, **payload.case_end(case))

    def _note_guest(self, report: pytest.TestReport, machine: str, error: BaseException | None) -> None:
        now = self._journal.now()
        begun, _ = self._guest_spans.get(machine, (now - report.duration, now))
        self._guest_spans[machine] = (begun, now)
        if machine in self._guest_blocks:
            return  # The test reported an earlier phase: nothing of this guest was checked.
        status = _guest_status(report)
        if status is not Status.BLOCKED:
            check = guest_check_of(report, machine, status, error)
            if status in (Status.FAIL, Status.ERROR):
                self._lab.evidence.suspect(machine)
                check = self._with_console(check, machine)
            self._guest_checks.setdefault(machine, []).append(check)

    def _with_console(self, check: Check, machine: str) -> Check:
        known = self._lab.machines.get(machine)
        log = known.console.log if known is not None else None
        return replace(check, evidence=tuple(dict.fromkeys((*check.evidence, *([str(log)] if log else [])))))

    def finish(self) -> None:
        """Add the verdict of the guests phase for each machine with guest tests."""
        for machine in {*self._guest_checks, *self._guest_blocks}:
            begun, ended = self._guest_spans.get(machine, (self._journal.now(),) * 2)
            blocked = "" if machine in self._guest_checks else self._guest_blocks[machine]
            checks = tuple(self._guest_checks.get(machine, ()))
            self._lab.verdicts.add(Verdict(Phase.GUESTS, machine, checks, begun, ended, blocked_by=blocked))


def guest_check_of(
    report: pytest.TestReport, machine: str, status: Status, error: BaseException | None = None
) -> Check:
    """Return the check that a test of the guests is.

    What the test recorded with the fixture `promised` is expected and seen; else the test itself, and the first line of
    its exception.
    """
    title, crash = check_name(report.nodeid, machine), _crash(report)
    recorded = {str(key): str(value) for key, value in report.user_properties}
    expected = recorded.get("expected", f"`{report.nodeid}` passes")
    if status is Status.PASS:
        return Check(title, status, expected, recorded.get("seen", "it passed"))
    if status is Status.NOT_PROVEN:
        return Check(title, status, expected, _reason(report).removeprefix("not proven: "))
    if isinstance(error, HarnessError):
        return replace(from_exception(None, error), name=title, status=status, expected=expected)
    compared = crash.startswith("assert ")
    seen = recorded.get("seen", "") or crash or next(iter(_reason(report).strip().splitlines()), "")
    remedy = (
        f"log in with `lab ssh {machine}` and compare the guest with the lab file; "
        f'check again with `pytest --reuse "{report.nodeid}"`'
    )
    return Check(title, status, expected, seen, remedy, cause="" if compared and "seen" in recorded else crash)


def _guest_status(report: pytest.TestReport) -> Status:
    if report.passed:
        return Status.PASS
    if report.skipped:
        return Status.BLOCKED if "blocked:" in _reason(report) else Status.NOT_PROVEN
    return Status.FAIL if report.when == "call" else Status.ERROR


def outcome_of(report: pytest.TestReport) -> Outcome:
    """Return the outcome of a test.

    A failure in set-up or tear-down is an error, as pytest prints it.
    """
    if hasattr(report, "wasxfail"):
        return Outcome.XPASSED if report.passed else Outcome.XFAILED
    if report.failed:
        return Outcome.FAILED if report.when == "call" else Outcome.ERROR
    return Outcome.PASSED if report.passed else Outcome.SKIPPED


def mask(report: pytest.TestReport) -> None:
    """Redact secrets in a pytest report.

    An assertion shows whatever the guest answered.
    """
    text = report.longreprtext
    if isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        report.longrepr = (path, line, plain(reason))  # pytest reads the three of them
    elif plain(text) != text:
        report.longrepr = plain(text)
    report.sections = [(name, plain(content)) for name, content in report.sections]


def _crash(report: pytest.TestReport) -> str:
    """Return the first line of a failed test's exception."""
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = str(crash.message).splitlines() if crash is not None else []
    return lines[0].removeprefix("AssertionError: ") if report.failed and lines else ""


def _reason(report: pytest.TestReport) -> str:
    """Return why a test did not pass, as text."""
    if report.passed:
        return ""
    if report.skipped and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return report.longreprtext
