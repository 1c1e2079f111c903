"""Counts of checks: planned ones, and the answers by status. Pure."""

from __future__ import annotations

from collections import Counter

from harness.core.verdict import Status
from harness.results.claim_rules import LAB_WIDE, place
from harness.results.model import RunResult


def planned(run: RunResult) -> int:
    """Return how many checks the run was asked to make, made or not.

    Those that do not apply to this lab are none of them.

    A check that no phase declares counts where it was answered.
    """
    answers = [((one.phase, one.machine, check.name), check) for one in run.verdicts for check in one.checks]
    names = {key for key, _ in answers}
    machines = [machine.name for machine in run.machines]
    for check in run.declared:
        at = (None,) if check.phase in LAB_WIDE else machines
        names |= {(check.phase, name, check.name) for name in at if place(check.phase, name) in run.asked}
    asked = {key for key, check in answers if check.status is not Status.NOT_ASKED}
    return len(names - ({key for key, _ in answers} - asked))


def tally(run: RunResult) -> Counter[Status]:
    """Count checks by status; a blocked phase counts as one."""
    count = Counter(check.status for verdict in run.verdicts for check in verdict.checks)
    count[Status.BLOCKED] += sum(bool(verdict.blocked_by) for verdict in run.verdicts)
    return count
