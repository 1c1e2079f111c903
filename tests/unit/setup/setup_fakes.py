"""A process door that knows exactly the commands it was told; any other one fails the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.process import Completed


@dataclass
class FakeDoor:
    """Answers by exact argv; several answers of one argv come in order, the last one stays.

    An answer is text, or text and exit status.
    """

    answers: dict[tuple[str, ...], list[object]] = field(default_factory=dict)
    effects: dict[tuple[str, ...], Callable[[], object]] = field(default_factory=dict)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    envs: list[dict[str, str]] = field(default_factory=list)

    def on(self, *argv: str, says: object = "", then: Callable[[], object] | None = None) -> FakeDoor:
        self.answers.setdefault(argv, []).append(says)
        if then is not None:
            self.effects[argv] = then
        return self

    def __call__(self, argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None) -> Completed:
        words = tuple(argv)
        self.calls.append(words)
        self.envs.append(dict(env or {}))
        assert words in self.answers, f"unknown command: {words}"
        left = self.answers[words]
        says = left.pop(0) if len(left) > 1 else left[0]
        if words in self.effects:
            self.effects[words]()
        text, code = says if isinstance(says, tuple) else (says, 0)
        return Completed(words, code, str(text), "", 0.1)
