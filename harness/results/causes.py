"""What stopped a run: for each machine its earliest failure. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.verdict import Check, Phase, Status, Verdict
from harness.results.model import CaseResult, Outcome, RunResult, Span, SpanKind

INTERRUPTED = 2  # pytest.ExitCode
BAD_OUTCOMES = (Outcome.FAILED, Outcome.ERROR, Outcome.XPASSED)
_BROKEN = (Status.FAIL, Status.ERROR)
_WHY_LIMIT = 200  # characters of a cause in the headline


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


def cut_off(run: RunResult) -> bool:
    """Return whether a phase was begun and has no verdict."""
    return any(run.unfinished(span.machine, Phase(span.name)) for span in open_phases(run))


def open_phases(run: RunResult) -> list[Span]:
    """Return the phases that were begun and did not end."""
    names = {phase.value for phase in Phase}
    return [span for span in run.spans if span.kind is SpanKind.PHASE and not span.finished and span.name in names]


def first_cause(run: RunResult) -> Cause | None:
    """Return the first cause: earliest failed phase, test, or unfinished phase."""
    return next(iter(causes(run)), None)


def causes(run: RunResult) -> tuple[Cause, ...]:
    """Return the first cause, then the earliest failed phase of each other machine."""
    broken = [verdict for verdict in run.verdicts if verdict.status in _BROKEN]
    first: dict[str | None, Verdict] = {}
    for verdict in sorted(broken, key=lambda item: (item.ended_s, item.phase.number)):
        first.setdefault(verdict.machine, verdict)
    if first:
        return tuple(_phase_cause(verdict) for verdict in first.values())
    other = _other_cause(run)
    return (other,) if other else ()


def _phase_cause(verdict: Verdict) -> Cause:
    check = next(item for item in verdict.checks if item.status is verdict.status)
    return Cause(f"{verdict.title}: {check.name}: {check.why[:_WHY_LIMIT]}", verdict=verdict, check=check)


def _other_cause(run: RunResult) -> Cause | None:
    """Return the cause where no phase failed."""
    case = next((case for case in run.tests if case.outcome in BAD_OUTCOMES), None)
    if case is not None:
        return Cause(": ".join(filter(None, [f"{case.nodeid} {case.outcome.value}", _exception(case)])), case=case)
    if run.exit_status is None or run.exit_status == INTERRUPTED or cut_off(run):
        return _stuck(run)
    return None


def _stuck(run: RunResult) -> Cause | None:
    """Return the open phase with the largest elapsed share of its deadline.

    A phase without a deadline of its own is measured against the longest one.
    """
    spans = open_phases(run)
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
