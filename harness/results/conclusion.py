"""The conclusion of a result: status, headline, first cause, open points. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from harness.core.claims import Judgement, Standing
from harness.core.verdict import Check, Phase, Status, Verdict
from harness.results.model import CaseResult, Outcome, RunResult, Span, SpanKind

# pytest.ExitCode: 2 interrupted, 5 no tests collected.
_INTERRUPTED = 2
_NO_TESTS = 5
_BROKEN = (Status.FAIL, Status.ERROR)
_WHY_LIMIT = 200  # characters of a cause in the headline
_BAD_OUTCOMES = (Outcome.FAILED, Outcome.ERROR, Outcome.XPASSED)
_UNSEEN_OUTCOMES = (Outcome.SKIPPED, Outcome.XFAILED)


class Overall(StrEnum):
    """The one word for a run; only PASSED is green."""

    PASSED = "passed"
    PASSED_WITH_GAPS = "passed-with-gaps"
    PARTIAL = "partial"
    NOT_PROVEN = "not-proven"
    FAILED = "failed"
    ERROR = "error"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True)
class Gap:
    """Something that the run did not prove, and why."""

    machine: str | None
    phase: Phase
    name: str
    why: str
    status: Status = Status.NOT_PROVEN


@dataclass(frozen=True)
class Cause:
    """Where to look first.

    `verdict` and `check` are None where no phase is to blame; `case` is the test, `span` the unfinished phase.
    """

    what: str
    verdict: Verdict | None = None
    check: Check | None = None
    case: CaseResult | None = None
    span: Span | None = None

    @property
    def machine(self) -> str | None:
        """The machine concerned; None for the whole lab."""
        subject = self.verdict or self.span
        return subject.machine if subject else None


def lab_wide(run: RunResult, phase: Phase) -> bool:
    """Return whether the phase belongs to the whole lab only."""
    if any(verdict.phase is phase and verdict.machine is not None for verdict in run.verdicts):
        return False
    return run.verdict_of(None, phase) is not None or run.unfinished(None, phase) is not None


def not_run(run: RunResult) -> tuple[tuple[str | None, Phase], ...]:
    """Return the phases that were never started, by machine or lab-wide."""
    missing: list[tuple[str | None, Phase]] = []
    for phase in Phase:
        if lab_wide(run, phase):
            continue
        names = run.machine_names or (None,)
        missing += [
            (name, phase)
            for name in names
            if run.verdict_of(name, phase) is None and run.unfinished(name, phase) is None
        ]
    return tuple(missing)


def gaps(run: RunResult) -> tuple[Gap, ...]:
    """Return what verdicts leave unproven: checks, blocked phases, phases without checks."""
    found: list[Gap] = []
    for verdict in run.verdicts:
        if verdict.blocked_by:
            why = f"not looked at: blocked by {verdict.blocked_by}"
            found.append(Gap(verdict.machine, verdict.phase, "the whole phase", why, Status.BLOCKED))
        elif not verdict.checks:
            found.append(Gap(verdict.machine, verdict.phase, "the whole phase", "no check was made"))
        found += [
            Gap(verdict.machine, verdict.phase, check.name, check.seen, check.status)
            for check in verdict.checks
            if check.status in (Status.NOT_PROVEN, Status.BLOCKED)
        ]
    return tuple(found)


def overall(run: RunResult) -> Overall:
    """Return the status word; the worst finding decides."""
    if run.exit_status is None or run.exit_status == _INTERRUPTED or _cut_off(run):
        return Overall.INCOMPLETE
    judged = _judged(run)
    if judged is not None:
        return judged
    if run.exit_status == _NO_TESTS or not any(
        check.status is Status.PASS for verdict in run.verdicts for check in verdict.checks
    ):
        return Overall.NOT_PROVEN
    if run.partial:
        return Overall.PARTIAL
    return Overall.PASSED_WITH_GAPS if _reservations(run) else Overall.PASSED


def _cut_off(run: RunResult) -> bool:
    return any(run.unfinished(span.machine, Phase(span.name)) for span in _open_phases(run))


def held_back(run: RunResult) -> tuple[Judgement, ...]:
    """Return the claims for whose sake the run is not green."""
    return tuple(claim for claim in run.claims if claim.holds_back)


def _open_phases(run: RunResult) -> list[Span]:
    names = {phase.value for phase in Phase}
    return [span for span in run.spans if span.kind is SpanKind.PHASE and not span.finished and span.name in names]


def _judged(run: RunResult) -> Overall | None:
    """Return ERROR or FAILED if a verdict, test or pytest reports it."""
    statuses = {verdict.status for verdict in run.verdicts}
    outcomes = {case.outcome for case in run.tests}
    if Status.ERROR in statuses:
        return Overall.ERROR
    if Status.FAIL in statuses:
        return Overall.FAILED
    if Outcome.ERROR in outcomes:
        return Overall.ERROR
    if outcomes & set(_BAD_OUTCOMES):
        return Overall.FAILED
    if held_back(run):
        return Overall.NOT_PROVEN
    if run.exit_status == 1:
        return Overall.FAILED
    return None if run.exit_status in (0, _NO_TESTS) else Overall.ERROR


def headline(run: RunResult) -> str:
    """Return the headline of every view, e.g. `PASSED, 2 things not proven`."""
    word = overall(run)
    cause = first_cause(run)
    if word is Overall.PASSED:
        return "PASSED"
    if word is Overall.PASSED_WITH_GAPS:
        return ", ".join(["PASSED", *_reservations(run)])
    if word is Overall.PARTIAL:
        return f"PARTIAL: {_asked(run)}"
    if word is Overall.NOT_PROVEN and held_back(run):
        return "NOT PROVEN: " + "; ".join(f"{claim.title} ({claim.why[0]})" for claim in held_back(run))
    if word is Overall.NOT_PROVEN:
        return "NOT PROVEN: nothing was looked at and found as promised"
    if word is Overall.INCOMPLETE:
        joint = " while " if cause and cause.span else "; before that: "
        return f"INCOMPLETE: {_ending(run)}" + (joint + cause.what if cause else "")
    return f"{word.value.upper()}: {cause.what if cause else f'pytest ended with exit status {run.exit_status}'}"


def _asked(run: RunResult) -> str:
    """Return what a partial run proved and how much it left out."""
    proven = [claim.title for claim in run.claims if claim.asked and claim.standing is Standing.PROVEN]
    unasked = sum(not claim.asked for claim in run.claims)
    words = [f"proven: {'; '.join(proven)}" if proven else "no claim is proven"]
    words += [f"{unasked} of {len(run.claims)} claims not asked"] if unasked else []
    words += [f"{len(run.left_out)} left out: {', '.join(run.left_out[:2])}"] if run.left_out else []
    return "; ".join(words)


def _ending(run: RunResult) -> str:
    if run.exit_status == _INTERRUPTED:
        return "the run was interrupted"
    if run.exit_status is not None:
        return "a phase was begun and has no verdict"
    return "the run ended without recording its end"


def _reservations(run: RunResult) -> list[str]:
    unseen = sum(case.outcome in _UNSEEN_OUTCOMES for case in run.tests)
    return [
        *_count(len(gaps(run)), "thing not proven", "things not proven"),
        *_count(len(not_run(run)), "phase not run", "phases not run"),
        *_count(unseen, "test skipped", "tests skipped"),
        *_count(run.unreadable_events, "journal line unreadable", "journal lines unreadable"),
    ]


def _count(number: int, one: str, many: str) -> list[str]:
    return [] if number == 0 else [f"{number} {one if number == 1 else many}"]


def first_cause(run: RunResult) -> Cause | None:
    """Return the first cause: earliest failed phase, test, or unfinished phase."""
    broken = [verdict for verdict in run.verdicts if verdict.status in _BROKEN]
    if broken:
        verdict = min(broken, key=lambda item: (item.ended_s, item.phase.number))
        check = next(item for item in verdict.checks if item.status is verdict.status)
        return Cause(f"{verdict.title}: {check.name}: {check.why[:_WHY_LIMIT]}", verdict=verdict, check=check)
    case = next((case for case in run.tests if case.outcome in _BAD_OUTCOMES), None)
    if case is not None:
        return Cause(f"{case.nodeid} {case.outcome.value}", case=case)
    if run.exit_status is None or run.exit_status == _INTERRUPTED or _cut_off(run):
        span = max(_open_phases(run), key=lambda item: item.started_s, default=None)
        if span is not None:
            return Cause(f"{span.name} of {span.machine or 'the lab'} was under way", span=span)
    return None


def tally(run: RunResult) -> Counter[Status]:
    """Count checks by status; a blocked phase counts as one."""
    count = Counter(check.status for verdict in run.verdicts for check in verdict.checks)
    count[Status.BLOCKED] += sum(bool(verdict.blocked_by) for verdict in run.verdicts)
    return count
