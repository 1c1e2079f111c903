"""Add the cause that the evidence shows to a failed check. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from harness.core.verdict import Check, Status, Verdict
from harness.guest.diagnosis import Source, diagnose_each

# The most severe ones: a first line with more causes is too long to read.
_MOST_CAUSES = 2
_BROKEN = (Status.FAIL, Status.ERROR)


def explained(verdict: Verdict, condition: str, texts: Mapping[Source, str]) -> Verdict:
    """Return the verdict with the cause of its first broken check.

    The cause is in that check's first line.

    Args:
        verdict: A phase that did not pass.
        condition: What the hypervisor says of the machine where that alone explains a silent guest (`the machine is
            off`), or nothing.
        texts: Evidence by its source, free of terminal escapes.
    """
    checks = list(verdict.checks)
    for number, check in enumerate(checks):
        if check.status in _BROKEN:
            checks[number] = explain(check, condition, texts)
            return dataclasses.replace(verdict, checks=tuple(checks))
    return verdict


def explain(check: Check, condition: str, texts: Mapping[Source, str]) -> Check:
    """Return a broken check with the causes that the evidence shows.

    What the check itself saw stays in front. A fatal cause in the guest makes an expired deadline a failure that was
    seen.
    """
    if condition and condition not in check.why:
        check = dataclasses.replace(check, cause=f"{condition}: {check.why}")
    for found in diagnose_each(texts)[:_MOST_CAUSES]:
        if found.cause not in check.why:
            check = dataclasses.replace(
                check,
                cause=f"{check.why}; {found.source.shown} says: {found.cause}",
                seen=f"{check.seen}\n{found.source.shown}: {found.line}",
                remedy=f"{found.remedy}; {check.remedy}" if check.remedy else found.remedy,
                inconclusive=check.inconclusive and not (found.fatal and found.source is not Source.HYPERVISOR),
            )
    return check
