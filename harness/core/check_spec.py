"""The declaration of a check, written once beside the code that answers it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.claims import Claim
from harness.core.verdict import Check, Phase, Status, judge


@dataclass(frozen=True)
class CheckSpec:
    """What a check asks, and which claims rest on its answer.

    Attributes:
        name: What is asked, in a few words; unique inside its phase.
        claims: The claims that rest on it.
        expected: What is promised. An answer may say it more exactly.
    """

    phase: Phase
    name: str
    claims: tuple[Claim, ...]
    expected: str

    def judge(self, *, ok: bool, seen: object, expected: object = "", remedy: str = "", cause: str = "") -> Check:
        """Return PASS or FAIL: it was really looked at."""
        return judge(self.name, ok=ok, expected=expected or self.expected, seen=seen, remedy=remedy, cause=cause)

    def not_proven(self, seen: str, *, expected: str = "", remedy: str = "") -> Check:
        """Return NOT_PROVEN: nothing could be looked at."""
        return Check(self.name, Status.NOT_PROVEN, expected or self.expected, seen, remedy)

    def not_asked(self, why: str, *, remedy: str = "") -> Check:
        """Return NOT_ASKED: the lab neither has nor promises what the check is about."""
        return Check(self.name, Status.NOT_ASKED, self.expected, why, remedy)
