"""The conclusion of a result: status, headline, first cause, open points. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.core.claims import Judgement, Standing
from harness.core.verdict import Check, Phase, Status, Verdict
from harness.results.counts import planned, tally
from harness.results.model import CaseResult, Outcome, RunResult, Span, SpanKind

_INTERRUPTED = 2  # pytest.ExitCode; 5 is: no tests collected
_NO_TESTS = 5
_BROKEN = (Status.FAIL, Status.ERROR)
_WHY_LIMIT = 200  # characters of a cause in the headline
_MOST_NAMES = 3  # machines that a headline names one by one
_CONTINUE = "; continue with `--resume`"
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
    if all_required_proven(run):
        return Overall.PASSED_WITH_GAPS if run.unreadable_events else Overall.PASSED
    return Overall.PASSED_WITH_GAPS if _reservations(run) else Overall.PASSED


def all_required_proven(run: RunResult) -> bool:
    """Return whether the lab file requires claims, and each of them is proven."""
    required = [claim for claim in run.claims if claim.required]
    return bool(required) and all(claim.standing is Standing.PROVEN for claim in required)


def not_required(run: RunResult) -> tuple[str, ...]:
    """Return the claims that are neither required nor proven, each with its reason."""
    missing = [claim for claim in run.claims if not claim.required and claim.standing is Standing.NOT_PROVEN]
    return tuple(f"not required: {claim.title}: {claim.why[0] if claim.why else 'not asked'}" for claim in missing)


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
    """Return the headline of every view, e.g. `PASSED: 8 of 8 required claims proven`."""
    word = overall(run)
    cause = first_cause(run)
    if word is Overall.PASSED:
        return f"PASSED: {_required(run)}" if all_required_proven(run) else "PASSED"
    if word is Overall.PASSED_WITH_GAPS:
        return ", ".join(["PASSED", *_reservations(run)])
    if word is Overall.PARTIAL:
        return f"PARTIAL, all good: {_asked(run)}"
    if word is Overall.NOT_PROVEN and held_back(run):
        return "NOT PROVEN: " + "; ".join(f"{claim.title} ({claim.why[0]})" for claim in held_back(run))
    if word is Overall.NOT_PROVEN:
        return "NOT PROVEN: nothing was looked at and found as promised"
    if word is Overall.INCOMPLETE:
        joint = " while " if cause and cause.span else "; before that: "
        return f"INCOMPLETE: {_ending(run)}" + (joint + cause.what if cause else "") + _CONTINUE
    return f"{word.value.upper()}: {cause.what if cause else f'pytest ended with exit status {run.exit_status}'}"


def _asked(run: RunResult) -> str:
    """Return what a partial run looked at, and what it left out."""
    ran = [verdict for verdict in run.verdicts if not verdict.blocked_by]
    seen = [name for name in run.machine_names if any(verdict.machine == name for verdict in ran)]
    rest = [name for name in run.machine_names if name not in seen]
    phases = len({verdict.phase for verdict in ran})
    words = [
        *([_names(seen)] if seen else []),
        *_count(phases, "phase", "phases"),
        f"{tally(run)[Status.PASS]} of {planned(run)} checks",
    ]
    proven = sum(claim.asked and claim.standing is Standing.PROVEN for claim in run.claims)
    parts = [", ".join(words), *([f"{proven} of {len(run.claims)} claims proven"] if proven else [])]
    parts += [f"not looked at: {_names(rest)}"] if rest else []
    parts += _count(run.unreadable_events, "journal line unreadable", "journal lines unreadable")
    return "; ".join(parts)


def _names(machines: Sequence[str]) -> str:
    return ", ".join(machines) if len(machines) <= _MOST_NAMES else f"{len(machines)} machines"


def _required(run: RunResult) -> str:
    mine = [claim for claim in run.claims if claim.required]
    runs = {name for claim in mine if claim.proven_by for name in claim.carried_from}
    text = f"{sum(claim.standing is Standing.PROVEN for claim in mine)} of {len(mine)} required claims proven"
    return text + (f" (in part by run {', '.join(sorted(runs))})" if runs else "")


def _ending(run: RunResult) -> str:
    if run.exit_status == _INTERRUPTED:
        return "the run was interrupted"
    if run.exit_status is not None:
        return "a phase was begun and has no verdict"
    return "the run ended without recording its end"


def _reservations(run: RunResult) -> list[str]:
    unseen = sum(case.outcome in _UNSEEN_OUTCOMES and not case.not_asked for case in run.tests)
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
        return Cause(": ".join(filter(None, [f"{case.nodeid} {case.outcome.value}", _exception(case)])), case=case)
    if run.exit_status is None or run.exit_status == _INTERRUPTED or _cut_off(run):
        return _stuck(run)
    return None


def _stuck(run: RunResult) -> Cause | None:
    """Return the open phase with the largest elapsed share of its deadline.

    A phase without a deadline of its own is measured against the longest one.
    """
    spans = _open_phases(run)
    longest = max(run.limits_s.values(), default=0.0) or 1.0

    def share(span: Span) -> float:
        return (span.ended_s - span.started_s) / (run.limits_s.get(span.name) or longest)

    span = max(spans, key=share, default=None)
    if span is None:
        return None
    limit = run.limits_s.get(span.name)
    took = f"{span.ended_s - span.started_s:.0f}" + (f" of {limit:.0f}" if limit else "")
    others = f" ({len(spans)} phases were open)" if len(spans) > 1 else ""
    return Cause(f"{span.name} of {span.machine or 'the lab'} was under way for {took} s{others}", span=span)


def _exception(case: CaseResult) -> str:
    """Return the line of a failed test's text that names the exception."""
    lines = [line.strip() for line in case.reason.splitlines() if line.strip()]
    raised = [line.removeprefix("E ").strip() for line in lines if line.startswith("E ")]
    return next(iter(raised or lines), "")[:_WHY_LIMIT]
