"""Symbols of outcomes, readable without colour, and the format of numbers."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.claims import Standing
from harness.core.verdict import Status
from harness.results.conclusion import Overall
from harness.results.model import Outcome


@dataclass(frozen=True)
class Mark:
    """A CSS class, a sign and a word."""

    css: str
    sign: str
    word: str


NOT_ASKED = Mark("not-asked", "–", "not asked")
STATUS = {
    Status.PASS: Mark("pass", "✓", "pass"),
    Status.FAIL: Mark("fail", "✗", "FAIL"),
    Status.ERROR: Mark("error", "!", "ERROR"),
    Status.BLOCKED: Mark("blocked", "⊘", "blocked"),
    Status.NOT_PROVEN: Mark("not-proven", "?", "NOT PROVEN"),
    Status.NOT_ASKED: NOT_ASKED,
}
NOT_RUN = Mark("not-run", "–", "not run")
CUT_OFF = Mark("cut-off", "…", "CUT OFF")
UNREADABLE = Mark("cut-off", "…", "unreadable")
ELSEWHERE = Mark("elsewhere", "", "")

OVERALL = {
    Overall.PASSED: Mark("pass", "✓", "passed"),
    Overall.PASSED_WITH_GAPS: Mark("not-proven", "?", "passed, not everything proven"),
    Overall.PARTIAL: Mark("partial", "◐", "partial run, all good"),
    Overall.NOT_PROVEN: Mark("not-proven", "?", "not proven"),
    Overall.FAILED: Mark("fail", "✗", "failed"),
    Overall.ERROR: Mark("error", "!", "error"),
    Overall.INCOMPLETE: Mark("cut-off", "…", "incomplete"),
}

STANDING = {
    Standing.PROVEN: Mark("pass", "✓", "proven"),
    Standing.DISPROVEN: Mark("fail", "✗", "DISPROVEN"),
    Standing.NOT_PROVEN: Mark("not-proven", "?", "NOT PROVEN"),
    Standing.NOT_ASKED: NOT_ASKED,
}

OUTCOME = {
    Outcome.PASSED: Mark("pass", "✓", "passed"),
    Outcome.FAILED: Mark("fail", "✗", "FAILED"),
    Outcome.ERROR: Mark("error", "!", "ERROR"),
    Outcome.SKIPPED: Mark("not-proven", "?", "SKIPPED"),
    Outcome.XFAILED: Mark("not-proven", "?", "EXPECTED FAILURE"),
    Outcome.XPASSED: Mark("fail", "✗", "PASSED UNEXPECTEDLY"),
}


def duration(seconds: float) -> str:
    """Format seconds: `0.4 s`, `12 min 05 s`, `1 h 02 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def size(number: int | None) -> str:
    """Format a number of bytes; None stands for a missing file."""
    if number is None:
        return "missing"
    if number < 1024:
        return f"{number} B"
    if number < 1024 * 1024:
        return f"{number / 1024:.1f} KiB"
    return f"{number / 1024 / 1024:.1f} MiB"


def clock(stamp: str) -> str:
    """Format an ISO 8601 stamp without fractions and T."""
    return stamp[:19].replace("T", " ") + (" UTC" if stamp[19:].endswith(("+00:00", "Z")) else "") if stamp else ""
