"""The conclusion of a result: status, headline, open points. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.core.claims import Judgement, Standing
from harness.core.verdict import Phase, Status
from harness.results.causes import BAD_OUTCOMES, INTERRUPTED, causes, cut_off, first_cause
from harness.results.counts import planned, tally
from harness.results.model import Outcome, RunResult

_NO_TESTS = 5  # pytest.ExitCode
_MOST_NAMES = 3  # machines that a headline names one by one
_CONTINUE = "; continue with `--resume`"
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
    if run.exit_status is None or run.exit_status == INTERRUPTED or cut_off(run):
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


def held_back(run: RunResult) -> tuple[Judgement, ...]:
    """Return the claims for whose sake the run is not green."""
    return tuple(claim for claim in run.claims if claim.holds_back)


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
    if outcomes & set(BAD_OUTCOMES):
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
    text = cause.what if cause else f"pytest ended with exit status {run.exit_status}"
    return f"{word.value.upper()}: {text}{_also_failed(run)}"


def _also_failed(run: RunResult) -> str:
    """Return the other machines that failed, each with its phase."""
    others = [item.verdict for item in causes(run)[1:] if item.verdict]
    named = [f"{item.machine or 'the lab'} ({item.phase.value})" for item in others]
    return f"; also failed: {_names(named)}" if named else ""


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
    if run.exit_status == INTERRUPTED:
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
