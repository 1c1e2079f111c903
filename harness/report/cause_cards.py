"""A card for each failed machine, for the top of the page. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.core.verdict import Check
from harness.report import symbols
from harness.report.clipping import Budget
from harness.report.page_model import CauseCard, CheckRow, cause_mark, logs_of
from harness.results.causes import Cause, causes
from harness.results.model import RunResult
from harness.results.plain_text import plain

LAB = "whole lab"
MOST_CARDS = 12
_CONSOLE_LINES = 6


class CauseCards:
    """Builds the cards.

    Args:
        run: The result.
        tails: The ends of evidence files, by path.
        pictures: Screens in base64, by path.
        budget: Room for text on the page.
        check_row: Returns the row of a machine's check, its texts at most of that length.
    """

    def __init__(
        self,
        run: RunResult,
        tails: Mapping[str, str],
        pictures: Mapping[str, str],
        budget: Budget,
        check_row: Callable[[str | None, Check, int], CheckRow],
    ) -> None:
        self._run = run
        self._tails = tails
        self._pictures = pictures
        self._budget = budget
        self._check_row = check_row

    def build(self) -> tuple[CauseCard, ...]:
        """Return the cards, the first cause first."""
        return tuple(self._card(cause) for cause in causes(self._run)[:MOST_CARDS])

    def _card(self, cause: Cause) -> CauseCard:
        machine, check = cause.machine, cause.check
        row = self._check_row(machine, check, 1500) if check else None
        picture = next((item.path for item in self._run.evidence if self._is_screen(item.path, machine)), "")
        return CauseCard(
            what=cause.what,
            mark=cause_mark(cause),
            machine=machine or LAB,
            phase=cause.verdict.phase.value if cause.verdict else cause.span.name if cause.span else "",
            check=row,
            cause=self._budget.clip(check.cause, 1000) if check and check.cause not in check.seen else "",
            reason=self._budget.clip(cause.case.reason, 3000) if cause.case else "",
            last_seen=last_seen(self._run, machine, self._budget),
            console=self._console(cause),
            enter=self._enter(machine),
            picture=picture,
            picture_data=self._pictures.get(picture, ""),
        )

    def _is_screen(self, path: str, machine: str | None) -> bool:
        return path in self._pictures and path.startswith(f"{machine}/")

    def _console(self, cause: Cause) -> str:
        """Return the last lines of the console, unless the check quotes them already."""
        logs = [item.path for item in logs_of(self._run, cause.machine) if item.path in self._tails]
        console = self._budget.tail(self._tails[logs[0]], _CONSOLE_LINES, 3000) if logs else ""
        quoted = cause.check is not None and console.rpartition("\n")[2] in plain(cause.check.seen[-3000:])
        return "" if quoted else console

    def _enter(self, machine: str | None) -> str:
        logged_in = [one.name for one in self._run.machines if one.ssh_logins]
        return next((item.enter for item in self._run.kept if item.name == machine and machine in logged_in), "")


def last_seen(run: RunResult, machine: str | None, budget: Budget) -> str:
    """Return the last state of a machine.

    None for a phase of the lab: the machine that was seen last.
    """
    known = [item for item in run.machines if item.last_seen and machine in (None, item.name)]
    last = max(known, key=lambda item: item.last_seen_s, default=None)
    return f"{budget.clip(last.last_seen, 400)} (at {symbols.duration(last.last_seen_s)})" if last else ""
