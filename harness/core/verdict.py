"""Verdicts: what was looked at, and what was seen. Pure values.

PASS        looked at, and as promised
FAIL        looked at, and the guest is wrong; or, marked inconclusive, a guest deadline expired: nothing was disproved
ERROR       could not be looked at because the host or the harness broke (an expired vmrun deadline is an ERROR)
BLOCKED     not looked at, because an earlier phase did not pass; names it
NOT_PROVEN  nothing to look at, or no way to look: never a pass
NOT_ASKED   this lab does not have what the check is about, and does not promise it: nothing is open
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from harness.core.secret import redact


class Status(StrEnum):
    """The six outcomes of a check or a phase, as in `run.json`."""

    PASS = "pass"  # noqa: S105  (a verdict, not a password)
    FAIL = "fail"
    ERROR = "error"
    BLOCKED = "blocked"
    NOT_PROVEN = "not-proven"
    NOT_ASKED = "not-asked"

    @property
    def stops(self) -> bool:
        """Whether later phases of that machine must not run."""
        return self in (Status.FAIL, Status.ERROR, Status.BLOCKED)


_SEVERITY = (Status.NOT_ASKED, Status.PASS, Status.NOT_PROVEN, Status.BLOCKED, Status.FAIL, Status.ERROR)


def worst(statuses: Iterable[Status]) -> Status:
    """Return the most severe status; NOT_PROVEN where there is none."""
    return max(statuses, key=_SEVERITY.index, default=Status.NOT_PROVEN)


class Phase(StrEnum):
    """The phases in the order in which they run.

    The value is the name in reports and marks. A member registers the module of its name in `harness.phases`.
    """

    ENVIRONMENT = "environment"
    CLEANUP = "cleanup"
    CREATION = "creation"
    BOOT = "boot"
    ISO_COPY = "iso-copy"
    CLOUD_INIT = "cloud-init"
    PACKAGES = "packages"
    ISO_DETACHED = "iso-detached"
    RESTARTS = "restarts"
    AIR_GAP = "air-gap"
    GUESTS = "guests"
    CLUSTER = "cluster"

    @property
    def number(self) -> int:
        """Position in the order, from 0."""
        return list(Phase).index(self)


@dataclass(frozen=True)
class Check:
    """One question and its answer.

    Attributes:
        name: What is asked, in a few words; unique inside its phase and machine.
        status: The outcome.
        expected: What was promised.
        seen: What was observed, verbatim where possible.
        remedy: What to do when the status is not PASS.
        cause: The true cause in one line, where it is known and `seen` does not begin with it.
        evidence: Files that show more, relative to the run directory where they are inside it.
        inconclusive: Whether a FAIL saw nothing wrong: a deadline expired, or the guest could not be asked. It fails
            the run, and disproves no claim.
    """

    name: str
    status: Status
    expected: str
    seen: str
    remedy: str = ""
    evidence: tuple[str, ...] = ()
    cause: str = ""
    inconclusive: bool = False

    def masked(self) -> Check:
        """Return the check with its texts redacted: they quote guests and tools."""
        return replace(
            self,
            expected=redact(self.expected),
            seen=redact(self.seen),
            remedy=redact(self.remedy),
            cause=redact(self.cause),
        )

    @property
    def why(self) -> str:
        """Why it did not pass: the cause, or the first line of `seen`."""
        return self.cause or next(iter(self.seen.strip().splitlines()), "")

    def __str__(self) -> str:
        rows = [("expected", self.expected), ("seen", self.seen), *(("evidence", item) for item in self.evidence)]
        if self.remedy and self.status is not Status.PASS:
            rows.append(("remedy", self.remedy))
        lines = [f"{self.name}: {self.status.value}" + (f": {self.why}" if self.why else "")]
        for label, text in rows:
            lines.append(f"  {label + ':':<10}" + text.replace("\n", "\n" + " " * 12))
        return "\n".join(lines)


def judge(name: str, *, ok: bool, expected: object, seen: object, remedy: str = "", cause: str = "") -> Check:
    """Return PASS or FAIL for something that was looked at."""
    status = Status.PASS if ok else Status.FAIL
    return Check(name, status, str(expected), str(seen), remedy, cause="" if ok else cause)


@dataclass(frozen=True)
class Verdict:
    """The outcome of one phase on one machine.

    `machine` is None where the phase belongs to the whole lab. `started_s` and `ended_s` are seconds since the start of
    the run; a blocked phase has neither duration nor checks.
    `carried_from` is the earlier run that looked, where this one went on from there.
    """

    phase: Phase
    machine: str | None
    checks: tuple[Check, ...]
    started_s: float
    ended_s: float
    blocked_by: str = ""
    carried_from: str = ""

    @property
    def status(self) -> Status:
        """The most severe status of the checks, or BLOCKED."""
        return Status.BLOCKED if self.blocked_by else worst(check.status for check in self.checks)

    @property
    def title(self) -> str:
        """Phase and machine, for people."""
        return f"{self.phase.value} of {self.machine}" if self.machine else self.phase.value

    @property
    def proven_by(self) -> str:
        """`proven by run X` where an earlier run reached the verdict; else empty."""
        if not self.carried_from:
            return ""
        return f"{'proven' if self.status is Status.PASS else 'looked at'} by run {self.carried_from}"

    def check(self, name: str) -> Check | None:
        """Return the check of that name, or None where it was not answered."""
        return next((check for check in self.checks if check.name == name), None)

    def __str__(self) -> str:
        if self.blocked_by:
            return f"{self.title}: blocked by {self.blocked_by}"
        bad = [check for check in self.checks if check.status is not Status.PASS]
        head = f"{self.title}: {self.status.value} ({len(self.checks) - len(bad)} of {len(self.checks)} checks passed)"
        return "\n".join([head, *(str(check) for check in bad)])
