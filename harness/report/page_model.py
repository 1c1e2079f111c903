"""Parts of the page and the files shown at a failure. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote

from harness.core.verdict import Status
from harness.report import symbols
from harness.report.symbols import Mark
from harness.results.causes import Cause
from harness.results.conclusion import Overall, not_run, overall
from harness.results.counts import planned, tally
from harness.results.model import CaseResult, EvidenceFile, Outcome, RunResult

_TEXT_FILES = {".log", ".txt", ".json", ".jsonl", ".vmx", ".xml", ""}
# The logs in which causes are, most telling first; the others follow by name.
_TELLING = ("vmware.log", "cloud-init.log", "cloud-init-output.log", "journal.log", "dpkg.log", "apt-term.log")


@dataclass(frozen=True)
class Link:
    """A file; `href` is empty if it is not beside the page."""

    text: str
    href: str


@dataclass(frozen=True)
class Cell:
    """One phase of one machine."""

    machine: str
    phase: str
    mark: Mark
    took: str
    href: str
    earlier: Link | None = None


@dataclass(frozen=True)
class Row:
    """One machine, or the lab, through all phases."""

    name: str
    cells: tuple[Cell, ...]
    total: str


@dataclass(frozen=True)
class CheckRow:
    """One check."""

    machine: str
    name: str
    mark: Mark
    expected: str
    seen: str
    remedy: str
    evidence: tuple[Link, ...]
    earlier: Link | None = None


@dataclass(frozen=True)
class CheckGroup:
    """The checks of one phase; `asked` counts those that apply to this lab."""

    anchor: str
    phase: str
    checks: tuple[CheckRow, ...]
    proven: int
    asked: int

    @property
    def whole(self) -> bool:
        """Whether every check that applies is proven."""
        return bool(self.checks) and self.proven == self.asked


@dataclass(frozen=True)
class ClaimRow:
    """One row of the claims table, with links to its checks."""

    title: str
    mark: Mark
    note: str
    why: tuple[str, ...]
    more: int
    checks: str
    places: tuple[Link, ...]
    evidence: tuple[Link, ...]
    earlier: tuple[Link, ...] = ()


@dataclass(frozen=True)
class GapLine:
    """An open point; phases blocked by the same cause share one line."""

    mark: Mark
    machine: str
    what: str
    why: str


@dataclass(frozen=True)
class Log:
    """The end of a file."""

    name: str
    link: Link
    text: str
    sha256: str
    size: str


@dataclass(frozen=True)
class Failure:
    """A failed phase or test, and how many more checks failed."""

    title: str
    mark: Mark
    checks: tuple[CheckRow, ...]
    more: int
    reason: str
    last_seen: str
    logs: tuple[Log, ...]


@dataclass(frozen=True)
class CauseCard:
    """What stopped one machine, or the lab.

    Attributes:
        cause: The true cause, where `check.seen` does not say it.
        picture: The path of its screen; `picture_data` is the picture in base64.
    """

    what: str
    mark: Mark
    machine: str
    phase: str
    check: CheckRow | None
    cause: str
    reason: str
    last_seen: str
    console: str
    enter: str
    picture: str
    picture_data: str


@dataclass(frozen=True)
class CaseRow:
    """One test."""

    nodeid: str
    mark: Mark
    took: str
    reason: str
    earlier: Link | None = None


def earlier_link(run_id: str, text: str, reports: Collection[str], anchor: str = "") -> Link:
    """Return a link to the report of an earlier run, if any.

    Args:
        run_id: That run.
        text: What the link says.
        reports: The runs that have a report beside this one.
        anchor: The part of that page.
    """
    return Link(text, f"../{quote(run_id)}/report.html{anchor}" if run_id in reports else "")


def link(path: str) -> Link:
    """Return a link to a file of the run directory."""
    pure = PurePosixPath(path)
    outside = pure.is_absolute() or ".." in pure.parts or re.match(r"[A-Za-z]:", path) is not None
    return Link(path, "" if outside else "./" + quote(path))


def evidence_link(run: RunResult, machine: str | None, path: str) -> Link:
    """Return a link to the run's copy of a machine file."""
    found = link(path)
    name = re.split(r"[\\/]", path)[-1]
    copy = f"{machine}/{name}"
    if not found.href and any(item.path == copy and item.machine == machine for item in run.evidence):
        return link(copy)
    return found


def logs_of(run: RunResult, machine: str | None) -> tuple[EvidenceFile, ...]:
    """Return the text files for a failure, the most telling first."""
    files = [item for item in run.evidence if machine is not None and item.machine == machine]
    readable = [item for item in files if PurePosixPath(item.path).suffix.lower() in _TEXT_FILES]
    return tuple(sorted(readable, key=_log_order))


def _log_order(item: EvidenceFile) -> tuple[bool, int, str]:
    name = PurePosixPath(item.path).name
    number = re.search(r"(\d+)\D*$", name)
    if "serial" in name:
        return False, -int(number[1]) if number else 0, item.path
    return True, _TELLING.index(name) if name in _TELLING else len(_TELLING), item.path


def case_mark(case: CaseResult) -> Mark:
    """Return the mark of a test; `not asked` is no open point."""
    return symbols.NOT_ASKED if case.not_asked else symbols.OUTCOME[case.outcome]


def cause_mark(cause: Cause) -> Mark:
    """Return the mark of a cause."""
    if cause.verdict is not None:
        return symbols.STATUS[cause.verdict.status]
    return symbols.OUTCOME[cause.case.outcome] if cause.case else symbols.CUT_OFF


def tiles(run: RunResult) -> tuple[tuple[str, str, str], ...]:
    """Name, number and CSS class of what a reader counts first."""
    count = tally(run)
    passed = sum(case.outcome is Outcome.PASSED for case in run.tests)
    bad = count[Status.FAIL] + count[Status.ERROR]
    unproven = count[Status.NOT_PROVEN] + count[Status.BLOCKED]
    ran = f"{passed} of {sum(not case.not_asked for case in run.tests)}"
    missing = len(not_run(run)) + sum(not span.finished for span in run.spans)
    return (
        ("checks proven", f"{count[Status.PASS]} of {planned(run)}", "plain"),
        ("failed", str(bad), "fail" if bad else "plain"),
        ("not proven", str(unproven), "not-proven" if unproven else "plain"),
        (
            "phases without verdict",
            str(missing),
            "plain" if not missing or overall(run) is Overall.PARTIAL else "not-proven",
        ),
        ("tests passed", f"{ran} that ran" if overall(run) is Overall.INCOMPLETE else ran, "plain"),
        ("duration", symbols.duration(run.duration_s), "plain"),
    )


def longest(run: RunResult) -> tuple[tuple[str, str], ...]:
    """The five phases that took longest."""
    ran = [item for item in run.verdicts if not (item.blocked_by or item.carried_from)]
    spans = sorted(ran, key=lambda item: item.started_s - item.ended_s)
    return tuple((item.title, symbols.duration(item.ended_s - item.started_s)) for item in spans[:5])


def troubled(run: RunResult) -> tuple[str, ...]:
    """Return the machines whose logs the page shows: failed or unfinished."""
    broken = [item.machine for item in run.verdicts if item.status in (Status.FAIL, Status.ERROR)]
    cut = [span.machine for span in run.spans if not span.finished]
    return tuple(dict.fromkeys(name for name in (*broken, *cut) if name is not None))
