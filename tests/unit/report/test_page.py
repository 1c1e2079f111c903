"""The parts of the page, computed from a result."""

from __future__ import annotations

import dataclasses

from report_samples import MACHINES, failing, replaced, static, verdicts

from harness.core.verdict import Phase, Status
from harness.report import symbols
from harness.report.clipping import Budget
from harness.report.page import View
from harness.report.page_model import Link
from harness.results.claim_rules import place
from harness.results.model import CaseResult, EvidenceFile, Outcome, RunResult, Span, SpanKind


def run_with(check_status: Status | None = None) -> RunResult:
    found = verdicts()
    if check_status is not None:
        found = replaced(found, "k3s-worker1", Phase.ISO_COPY, failing(check_status))
    evidence = (EvidenceFile("k3s-worker1/serial-1.log", "k3s-worker1"),)
    return dataclasses.replace(static(), verdicts=tuple(found), exit_status=0, evidence=evidence)


def view(run: RunResult, tails: dict[str, str] | None = None) -> View:
    return View(run, tails or {}, Budget(100_000))


def test_a_row_per_machine_and_one_for_the_lab_with_a_cell_per_phase() -> None:
    rows = view(run_with()).rows
    assert [row.name for row in rows] == ["whole lab", *MACHINES]
    assert {len(row.cells) for row in rows} == {len(Phase)}


def test_a_failed_check_is_the_cause_and_stands_first_in_its_group() -> None:
    page = view(run_with(Status.FAIL))
    assert [(card.machine, card.phase) for card in page.causes] == [("k3s-worker1", Phase.ISO_COPY.value)]
    group = page.groups[list(Phase).index(Phase.ISO_COPY)]
    assert group.checks[0].mark is symbols.STATUS[Status.FAIL]
    assert not group.whole


def test_a_phase_of_the_lab_that_was_cut_off_shows_the_machine_seen_last() -> None:
    span = Span(None, "cluster", SpanKind.PHASE, 10.0, 20.0, finished=False)
    machines = [
        dataclasses.replace(machine, last_seen=f"{machine.name} waits", last_seen_s=float(number))
        for number, machine in enumerate(run_with().machines)
    ]
    page = view(dataclasses.replace(run_with(), spans=(span,), machines=tuple(machines)))
    assert [failure.last_seen.split(" (")[0] for failure in page.failures] == [f"{machines[-1].name} waits"]


def test_the_phases_after_a_failure_are_open_points() -> None:
    page = view(run_with(Status.FAIL))
    assert any("blocked by iso-copy of k3s-worker1" in gap.why for gap in page.gaps)
    assert view(run_with()).causes == ()


def test_logs_of_a_failed_machine_are_shown_once() -> None:
    page = view(run_with(Status.FAIL), {"k3s-worker1/serial-1.log": "kernel panic\n"})
    shown = [log.text for failure in page.failures for log in failure.logs]
    assert shown == ["kernel panic"]


def test_what_is_not_proven_is_counted_and_is_no_failure() -> None:
    tiles = {name: (number, css) for name, number, css in view(run_with(Status.NOT_PROVEN)).tiles}
    assert tiles["failed"] == ("0", "plain")
    assert tiles["not proven"] == ("1", "not-proven")


def test_what_an_earlier_run_proved_says_so_and_has_no_time() -> None:
    run = run_with()
    carried = [
        dataclasses.replace(item, carried_from="run-1") if item.phase is Phase.BOOT else item for item in run.verdicts
    ]
    run = dataclasses.replace(
        run,
        verdicts=tuple(carried),
        tests=(CaseResult("test_boot", Outcome.PASSED, "", 0.1, carried_from="run-1"),),
    )
    page = View(run, {}, Budget(100_000), {"run-1"})
    number = list(Phase).index(Phase.BOOT)
    link = Link("proven by run run-1", "../run-1/report.html#checks-boot")
    assert {(cell.took, cell.earlier) for row in page.rows[1:] for cell in row.cells[number : number + 1]} == {
        ("", link)
    }
    assert {check.earlier for check in page.groups[number].checks} == {link}
    assert {check.earlier for check in page.groups[number + 1].checks} == {None}
    assert page.cases[0].took == ""
    assert page.cases[0].earlier == Link("proven by run run-1", "../run-1/report.html")
    assert not any(title.startswith("boot ") for title, _ in page.longest)
    assert page.rows[1].total != view(run_with()).rows[1].total
    gone = View(run, {}, Budget(100_000)).rows[1].cells[number].earlier
    assert gone == Link("proven by run run-1", ""), "no link to a report that is not there"


def test_a_good_part_is_neither_amber_nor_not_proven() -> None:
    found = [item for item in verdicts() if item.machine in (None, "k3s-worker1")]
    asked = tuple(place(phase, "k3s-worker1") for phase in Phase)
    page = view(dataclasses.replace(static(), verdicts=tuple(found), asked=asked, left_out=("test_a",), exit_status=0))
    assert page.mark.css == "partial"
    assert {claim.mark for claim in page.claims if "not asked" in claim.note} == {symbols.NOT_ASKED}
    assert {css for _, _, css in page.tiles} == {"plain"}
