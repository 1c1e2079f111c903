"""A fake process runner: a command that was not prepared fails the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.core.errors import ProcessError
from harness.core.text import decode
from harness.system.process import Completed


@dataclass
class FakeClock:
    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 0.001)


@dataclass
class FakeRun:
    """Answers by exact argv; several answers of one argv come in order, the last one stays.

    An answer is text, bytes (as a tool writes them), (bytes or text, exit status), an exception, or a function that
    returns one of these when it is called.
    """

    clock: FakeClock = field(default_factory=FakeClock)
    answers: dict[tuple[str, ...], list[object]] = field(default_factory=dict)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)
    envs: list[dict[str, str]] = field(default_factory=list)
    kept_children: list[bool] = field(default_factory=list)
    effects: dict[tuple[str, ...], Callable[[], object]] = field(default_factory=dict)

    def on(self, *argv: str, says: object = "", then: Callable[[], object] | None = None) -> FakeRun:
        self.answers.setdefault(argv, []).append(says)
        if then is not None:
            self.effects[argv] = then
        return self

    def __call__(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        env: Mapping[str, str] | None = None,
        keep_children: bool = False,
    ) -> Completed:
        words = tuple(argv)
        self.calls.append(words)
        self.timeouts.append(timeout_s)
        self.envs.append(dict(env or {}))
        self.kept_children.append(keep_children)
        assert words in self.answers, f"unknown command: {words}"
        left = self.answers[words]
        says = left.pop(0) if len(left) > 1 else left[0]
        if words in self.effects:
            self.effects[words]()
        says = says() if callable(says) else says
        if isinstance(says, BaseException):
            raise says
        output, code = says if isinstance(says, tuple) else (says, 0)
        text = decode(output if isinstance(output, bytes) else str(output).encode())
        return Completed(words, code, text, "", 0.1)


def timed_out() -> ProcessError:
    """As harness.system.process.run raises it: its cause is not an OSError."""
    error = ProcessError("vmrun did not end within 30 s and was ended", remedy="-")
    error.__cause__ = RuntimeError("expired")
    return error


def not_started() -> ProcessError:
    error = ProcessError("cannot start vmrun: Permission denied", remedy="-")
    error.__cause__ = PermissionError(13, "Permission denied")
    return error
