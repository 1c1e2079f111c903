"""The content of the page in its order, long texts clipped. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from harness.core.claims import Judgement, Standing
from harness.core.verdict import Check, Phase, Status, Verdict
from harness.report import symbols
from harness.report.cause_cards import LAB, CauseCards, last_seen
from harness.report.clipping import Budget
from harness.report.page_model import (
    CaseRow,
    Cell,
    CheckGroup,
    CheckRow,
    ClaimRow,
    Failure,
    GapLine,
    Link,
    Log,
    Row,
    case_mark,
    earlier_link,
    evidence_link,
    link,
    logs_of,
    longest,
    tiles,
)
from harness.report.symbols import Mark
from harness.results.causes import causes
from harness.results.claim_rules import bases
from harness.results.conclusion import (
    Overall,
    gaps,
    lab_wide,
    not_required,
    not_run,
    overall,
)
from harness.results.model import CaseResult, Outcome, RunResult, Span
from harness.results.next_steps import next_steps

_GAP_LINES = 30
_CHECKS_OF_A_FAILURE = 8
_FACTS = 40
_REASONS = 4


class View:
    """Parts of the page that no single field gives.

    Args:
        run: The result.
        tails: The ends of evidence files, by path.
        budget: Room for text on the page; what comes first is served first.
        reports: The earlier runs that have a report beside this one.
        pictures: Screens of failed machines in base64, by path.
    """

    def __init__(
        self,
        run: RunResult,
        tails: Mapping[str, str],
        budget: Budget,
        reports: Collection[str] = (),
        pictures: Mapping[str, str] | None = None,
    ) -> None:
        self.run = run
        self._reports = reports
        self._tails = tails
        self._budget = budget
        self._logged: set[str | None] = set()
        self.tiles = tiles(run)
        self.longest = longest(run)
        self.claims = tuple(self._claim_row(item) for item in run.claims)
        self.causes = CauseCards(run, tails, pictures or {}, budget, self._check).build()
        self.pictured = frozenset(card.picture for card in self.causes)
        self.more_causes = max(0, len(causes(run)) - len(self.causes))
        lines = self._gap_lines()
        self.gaps, self.more_gaps = lines[:_GAP_LINES], max(0, len(lines) - _GAP_LINES)
        self.failures = self._failures()
        self.rows = self._rows()
        self.groups = tuple(self._group(phase) for phase in Phase)
        self.steps = next_steps(run)
        self.not_required = not_required(run) if overall(run) is Overall.PASSED else ()
        self.cases = tuple(self._case(case) for case in run.tests)

    @property
    def mark(self) -> Mark:
        """The symbol and status of the whole run."""
        return symbols.OVERALL[overall(self.run)]

    @property
    def incomplete(self) -> bool:
        """Whether the run did not record its end."""
        return overall(self.run) is Overall.INCOMPLETE

    @property
    def fact_names(self) -> tuple[str, ...]:
        """The names of the additional facts of all machines."""
        return tuple(dict.fromkeys(name for machine in self.run.machines for name in machine.facts))[:_FACTS]

    # -- claims --------------------------------------------------------------------------------------------------

    def _claim_row(self, item: Judgement) -> ClaimRow:
        note = "required" if item.required else "not required"
        phases = dict.fromkeys(basis.phase.value for basis in bases(item.claim, self.run.declared))
        passed, total = item.checks
        return ClaimRow(
            item.title,
            symbols.NOT_ASKED
            if item.standing is Standing.NOT_PROVEN and not item.asked
            else symbols.STANDING[item.standing],
            note if item.asked else f"{note}, not asked in this run",
            tuple(self._budget.clip(why, 400) for why in item.why[:_REASONS]),
            max(0, len(item.why) - _REASONS),
            f"{passed} of {total}",
            tuple(Link(name, f"#checks-{name}") for name in phases),
            tuple(evidence_link(self.run, None, path) for path in item.evidence[:8]),
            tuple(earlier_link(name, f"by run {name}", self._reports) for name in item.carried_from)
            if item.proven_by
            else (),
        )

    # -- open points and failures --------------------------------------------------------------------------------

    def _gap_lines(self) -> tuple[GapLine, ...]:
        phases: dict[tuple[str | None, str, str, Status], list[str]] = {}
        order = {name: index for index, name in enumerate((None, *self.run.machine_names))}
        for gap in sorted(gaps(self.run), key=lambda item: order[item.machine]):
            phases.setdefault((gap.machine, gap.name, gap.why, gap.status), []).append(gap.phase.value)
        return tuple(
            GapLine(
                symbols.STATUS[status],
                machine or LAB,
                f"{', '.join(names)}: {self._budget.clip(name, 200)}",
                self._budget.clip(why, 400),
            )
            for (machine, name, why, status), names in phases.items()
        )

    def _failures(self) -> tuple[Failure, ...]:
        broken = [item for item in self.run.verdicts if item.status in (Status.FAIL, Status.ERROR)]
        found = [self._broken_phase(item) for item in sorted(broken, key=lambda item: item.ended_s)]
        found += [self._cut_off(span) for span in self.run.spans if not span.finished]
        if not broken:
            found += [self._broken_case(case) for case in self.run.tests if _is_bad(case)][:20]
        return tuple(found)

    def _broken_phase(self, verdict: Verdict) -> Failure:
        bad = [check for check in verdict.checks if check.status is not Status.PASS]
        shown = tuple(self._check(verdict.machine, check, 3000) for check in bad[:_CHECKS_OF_A_FAILURE])
        logs = self._logs(verdict.machine)
        mark = symbols.STATUS[verdict.status]
        seen = last_seen(self.run, verdict.machine, self._budget)
        return Failure(verdict.title, mark, shown, len(bad) - len(shown), "", seen, logs)

    def _cut_off(self, span: Span) -> Failure:
        title = f"{span.name} of {span.machine or 'the lab'}"
        seen = last_seen(self.run, span.machine, self._budget)
        reason = f"begun at {symbols.duration(span.started_s)}; the journal ends at {symbols.duration(span.ended_s)}"
        return Failure(title, symbols.CUT_OFF, (), 0, reason, seen, self._logs(span.machine))

    def _broken_case(self, case: CaseResult) -> Failure:
        return Failure(case.nodeid, symbols.OUTCOME[case.outcome], (), 0, self._budget.clip(case.reason, 4000), "", ())

    def _logs(self, machine: str | None) -> tuple[Log, ...]:
        """Return the logs of a machine on the first call, nothing later."""
        if machine in self._logged:
            return ()
        self._logged.add(machine)
        shown = [(item, self._tails[item.path]) for item in logs_of(self.run, machine) if item.path in self._tails]
        texts = [(item, self._budget.tail(text, 200, 16_000)) for item, text in shown]
        return tuple(
            Log(PurePosixPath(item.path).name, link(item.path), text, item.sha256, symbols.size(item.size))
            for item, text in texts
            if text
        )

    # -- tables --------------------------------------------------------------------------------------------------

    def _rows(self) -> tuple[Row, ...]:
        return tuple(
            Row(
                name or LAB,
                tuple(self._cell(name, phase) for phase in Phase),
                symbols.duration(
                    sum(
                        item.ended_s - item.started_s
                        for item in self.run.verdicts
                        if item.machine == name and not item.carried_from
                    )
                ),
            )
            for name in (None, *self.run.machine_names)
        )

    def _cell(self, machine: str | None, phase: Phase) -> Cell:
        verdict = self.run.verdict_of(machine, phase)
        took, mark = "", symbols.NOT_RUN
        if verdict is not None:
            mark = symbols.STATUS[verdict.status]
            timed = not (verdict.blocked_by or verdict.carried_from)
            took = symbols.duration(verdict.ended_s - verdict.started_s) if timed else ""
        elif self.run.unfinished(machine, phase) is not None:
            mark = symbols.CUT_OFF
        elif machine is None and not lab_wide(self.run, phase) and self.run.machine_names:
            mark = Mark("elsewhere", "", "per machine")
        elif machine is not None and lab_wide(self.run, phase):
            mark = Mark("elsewhere", "", LAB)
        return Cell(machine or LAB, phase.value, mark, took, f"#checks-{phase.value}", self._earlier(verdict))

    def _earlier(self, verdict: Verdict | None) -> Link | None:
        """Return `proven by run X`, where an earlier run reached the verdict."""
        if verdict is None or not verdict.carried_from:
            return None
        return earlier_link(verdict.carried_from, verdict.proven_by, self._reports, f"#checks-{verdict.phase.value}")

    def _group(self, phase: Phase) -> CheckGroup:
        checks: list[CheckRow] = []
        for verdict in self.run.verdicts:
            if verdict.phase is phase:
                checks += self._checks(verdict)
        checks += [
            self._unseen(name, symbols.NOT_RUN, "this phase did not run")
            for name, item in not_run(self.run)
            if item is phase
        ]
        checks += [
            self._unseen(name, symbols.CUT_OFF, "begun, and no verdict when the journal ended")
            for name in (None, *self.run.machine_names)
            if self.run.unfinished(name, phase) is not None
        ]
        settled = (symbols.NOT_ASKED, symbols.STATUS[Status.PASS])
        checks.sort(key=lambda check: check.mark in settled)  # stable: not proven first
        proven = sum(check.mark is symbols.STATUS[Status.PASS] for check in checks)
        asked = sum(check.mark is not symbols.NOT_ASKED for check in checks)
        return CheckGroup(f"checks-{phase.value}", phase.value, tuple(checks), proven, asked)

    def _checks(self, verdict: Verdict) -> Sequence[CheckRow]:
        if verdict.blocked_by:
            return [self._unseen(verdict.machine, symbols.STATUS[Status.BLOCKED], f"blocked by {verdict.blocked_by}")]
        if not verdict.checks:
            return [self._unseen(verdict.machine, symbols.STATUS[Status.NOT_PROVEN], "no check was made")]
        earlier = self._earlier(verdict)
        return [replace(self._check(verdict.machine, check, 1200), earlier=earlier) for check in verdict.checks]

    def _unseen(self, machine: str | None, mark: Mark, why: str) -> CheckRow:
        return CheckRow(machine or LAB, "the whole phase", mark, "", self._budget.clip(why, 400), "", ())

    def _check(self, machine: str | None, check: Check, limit: int) -> CheckRow:
        passed = check.status is Status.PASS
        room = limit // 3 if passed else limit
        return CheckRow(
            machine or LAB,
            self._budget.clip(check.name, 200),
            symbols.STATUS[check.status],
            self._budget.clip(check.expected, room),
            self._budget.clip(check.seen, room),
            "" if passed else self._budget.clip(check.remedy, 600),
            tuple(evidence_link(self.run, machine, path) for path in check.evidence[:8]),
        )

    def _case(self, case: CaseResult) -> CaseRow:
        reason = "" if case.outcome is Outcome.PASSED else self._budget.clip(case.reason, 1500)
        took, earlier = symbols.duration(case.duration_s), None
        if case.carried_from:
            took, by = "", "proven by" if case.outcome is Outcome.PASSED else "looked at by"
            earlier = earlier_link(case.carried_from, f"{by} run {case.carried_from}", self._reports)
        return CaseRow(case.nodeid, case_mark(case), took, reason, earlier)


def _is_bad(case: CaseResult) -> bool:
    return case.outcome in (Outcome.FAILED, Outcome.ERROR, Outcome.XPASSED)
