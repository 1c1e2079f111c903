"""Views for CI systems: properties of `junit.xml` and a Markdown summary. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from harness.report import symbols
from harness.report.clipping import Budget, clip
from harness.report.page import View
from harness.report.page_model import Link
from harness.results.causes import causes
from harness.results.conclusion import headline, overall
from harness.results.model import RunResult

_MOST_GAPS = 10


def junit_properties(run: RunResult) -> list[tuple[str, str]]:
    """Return the JUnit `properties`: run, inputs, and one per phase and machine."""
    found = [
        ("lab.name", run.lab),
        ("lab.run_id", run.run_id),
        ("lab.overall", overall(run).value),
        ("lab.headline", headline(run)),
        ("lab.file.sha256", run.lab_file_sha256),
        ("lab.overlay", run.overlay),
        ("lab.hypervisor", f"{run.hypervisor.kind} {run.hypervisor.version}".strip()),
        ("lab.accelerator", run.hypervisor.accelerator),
        ("lab.host.os", run.host.os),
        ("lab.commit", run.host.git_commit),
    ]
    for machine in run.machines:
        found.append((f"machine.{machine.name}.seed.sha256", machine.seed_sha256))
        found.append((f"machine.{machine.name}.ssh_logins", str(machine.ssh_logins)))
    found += [(f"claim.{item.claim.value}", item.proven_by or item.standing.value) for item in run.claims]
    for verdict in run.verdicts:
        took = "" if verdict.blocked_by else f" {verdict.ended_s - verdict.started_s:.1f} s"
        if verdict.carried_from:
            took = f", {verdict.proven_by}"
        found.append((f"phase.{verdict.phase.value}.{verdict.machine or 'lab'}", verdict.status.value + took))
    return [(clip(name, 200), clip(value, 400)) for name, value in found if value]


def summary_markdown(run: RunResult, reports: Collection[str] = ()) -> str:
    """Return headline, causes, open points and the phase table as Markdown.

    Args:
        run: The result.
        reports: The earlier runs that have a report beside this one.
    """
    view = View(run, {}, Budget(20_000), reports)
    lines = [f"## {view.mark.sign} {_cell(headline(run))}", "", *_claim_table(view)]
    lines += ["", f"Lab {_cell(run.lab)}, run {_cell(run.run_id)}, {symbols.duration(run.duration_s)}."]
    lines += [*_causes(run), *_steps(view), *_gaps(view), "", *_phase_table(view)]
    return "\n".join(lines) + "\n"


def _claim_table(view: View) -> Iterator[str]:
    yield _row(["Claim", "Standing", "Because"])
    yield _row(["---"] * 3)
    for claim in view.claims:
        standing = " ".join([claim.mark.sign, claim.mark.word, *map(_linked, claim.earlier)])
        yield _row([_cell(f"{claim.title} ({claim.note})"), standing, _cell("; ".join(claim.why[:2]))])


def _causes(run: RunResult) -> Iterator[str]:
    for cause in causes(run):
        if cause.check is not None:
            yield from ("", f"{_cell(cause.what)}", "")
            yield f"- expected: {_cell(cause.check.expected)}"
            yield f"- seen: {_cell(cause.check.seen)}"
            yield f"- what to do: {_cell(cause.check.remedy)}"


def _steps(view: View) -> Iterator[str]:
    yield from ("", "Next:", "") if view.steps else ()
    for step in view.steps:
        meanwhile = f" while this runs: {_code(step.before)}" if step.before else ""
        yield f"- {_cell(step.purpose)}: {_code(step.what)}{meanwhile}"


def _gaps(view: View) -> Iterator[str]:
    yield from ("", "Not proven:", "") if view.gaps else ()
    for gap in view.gaps[:_MOST_GAPS]:
        yield f"- {_cell(gap.machine)}, {_cell(gap.what)} ({_cell(gap.why)})"
    more = len(view.gaps) + view.more_gaps - _MOST_GAPS
    if more > 0:
        yield f"- and {more} more"


def _phase_table(view: View) -> Iterator[str]:
    head = ["Machine", *(group.phase for group in view.groups)]
    yield _row(head)
    yield _row(["---"] * len(head))
    for row in view.rows:
        cells = [
            f"{cell.mark.sign} {_linked(cell.earlier) if cell.earlier else f'{cell.mark.word} {cell.took}'}".strip()
            for cell in row.cells
        ]
        yield _row([_cell(row.name), *cells])


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _linked(item: Link) -> str:
    return f"[{_cell(item.text)}]({item.href})" if item.href else _cell(item.text)


def _code(text: str) -> str:
    """Return a command on one line as code."""
    return "`" + clip(text, 300).replace("\n", " ").replace("`", "'") + "`"


def _cell(text: str) -> str:
    """Return text on one line in which nothing is Markdown or HTML."""
    short = clip(text, 300).replace("\n", " ")
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&@-])", r"\\\1", short)
