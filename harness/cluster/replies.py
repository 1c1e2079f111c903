"""Answers that nodes and pods got from each other. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.core.check_spec import CheckSpec
from harness.core.verdict import Check

_SHOWN = 8


@dataclass(frozen=True)
class Reply:
    """What one question was answered with.

    Attributes:
        source: The node, or the node of the pod, that asked.
        target: What was asked.
        expected: The answer of the right one; text after it is allowed where `prefix` is set.
        seen: The answer, or the error.
    """

    source: str
    target: str
    expected: str
    seen: str
    answered: bool
    prefix: bool = False

    @property
    def right(self) -> bool:
        """Whether it is the expected answer."""
        same = self.seen.startswith(self.expected) if self.prefix else self.seen == self.expected
        return self.answered and same

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}: {self.seen or 'an empty answer'}"


def judge_replies(check: CheckSpec, replies: Sequence[Reply], silent: Mapping[str, str], remedy: str) -> Check:
    """Return whether every question got the right answer.

    Args:
        check: The check that is answered.
        replies: Every answer.
        silent: The nodes that could not ask, and why.
        remedy: What to do about a wrong answer.
    """
    wrong = [str(reply) for reply in replies if not reply.right]
    if wrong:
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        seen = f"{len(wrong)} of {len(replies)} wrong: {'; '.join(wrong[:_SHOWN])}{more}"
        return check.judge(ok=False, seen=seen, remedy=remedy)
    if silent or not replies:
        why = "; ".join(f"{name}: {why}" for name, why in silent.items()) or "nothing was asked"
        return check.not_proven(why, remedy=remedy)
    return check.judge(ok=True, seen=f"{len(replies)} right answers")
