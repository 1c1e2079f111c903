"""One call of a `vmrun` executable: flags before the verb, a time limit per verb, failures as `vmrun_errors`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from harness import process
from harness import vmrun_errors as errors
from harness.errors import ProcessError
from harness.process import Completed
from harness.secret import Secret, redact
from harness.wait import Deadline

T = TypeVar("T")

# Seconds after which a call is ended. `start` was seen to take more than 3 minutes on a busy host; a `stop soft` of a
# guest without Tools never ends, so its caller gives a deadline.
TIMEOUT_S: Mapping[str, float] = {
    "list": 30,
    "start": 600,
    "stop": 120,
    "reset": 120,
    "checkToolsState": 30,
    "getGuestIPAddress": 30,
    "deleteVM": 300,
    "captureScreen": 60,
}
_DEFAULT_TIMEOUT_S = 60.0


class RunProgram(Protocol):
    """The process door: `harness.process.run`, or a fake of it."""

    def __call__(self, argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None) -> Completed:
        """Return what the program said; raise `ProcessError` when it could not start or did not end in time."""


@dataclass(frozen=True)
class GuestLogin:
    """A guest account for guest operations; `vmrun` shows its password in the host's process list."""

    user: str
    password: Secret


@dataclass(frozen=True)
class VmrunProgram:
    """The executable and how it is called.

    Attributes:
        argv: The program and its first words.
        host_type: For `-T`.
        env: Variables on top of this process's own.
        run: The process door.
    """

    argv: tuple[str, ...]
    host_type: str
    env: Mapping[str, str] = field(default_factory=dict)
    run: RunProgram = process.run

    def parsed(self, parse: Callable[[str], T], verb: str, *words: str | Path, deadline: Deadline | None = None) -> T:
        """Return the parsed answer of a verb.

        Raises:
            UnexpectedAnswer: It succeeded with a text that `parse` refuses by a ValueError.
            MappedError: As `call`.
        """
        done = self.call(verb, *words, deadline=deadline)
        try:
            return parse(done.stdout)
        except ValueError as error:
            raise errors.UnexpectedAnswer(
                f"vmrun {verb} answered with something else: {error}",
                where=" ".join(done.argv),
                said=redact(done.output),
                remedy=errors.UnexpectedAnswer.advice,
            ) from error

    def call(
        self, verb: str, *words: str | Path, deadline: Deadline | None = None, login: GuestLogin | None = None
    ) -> Completed:
        """Return the answer of a verb that succeeded; the first word is the VMX, where it is a Path.

        Raises:
            MappedError: It failed, by its exit status or by its text.
        """
        done = self.raw(verb, *(str(word) for word in words), deadline=deadline, login=login)
        if errors.failed(done.output, done.returncode):
            raise self.failure(verb, done, words[0] if words else None)
        return done

    def raw(
        self, verb: str, *words: str, deadline: Deadline | None = None, login: GuestLogin | None = None
    ) -> Completed:
        """Return the answer of a verb, whatever it is.

        Raises:
            VmrunTimeout: It did not end within the verb's limit or the deadline, and was ended.
            VmrunUnavailable: It could not be started.
        """
        flags = ["-T", self.host_type]
        if login is not None:
            flags += ["-gu", login.user, "-gp", login.password.reveal()]
        limit = TIMEOUT_S.get(verb, _DEFAULT_TIMEOUT_S)
        if deadline is not None:
            limit = min(limit, max(1.0, deadline.remaining))
        return self._start((*self.argv, *flags, verb, *words), limit, verb)

    def usage(self) -> str:
        """Return what the program prints without any word."""
        return self._start(self.argv, _DEFAULT_TIMEOUT_S, "without a command").output

    def failure(self, verb: str, done: Completed, subject: str | Path | None) -> errors.MappedError:
        """Return the error for that answer; `subject` is the VMX (a Path) or what else the verb was about."""
        log = subject.parent / "vmware.log" if isinstance(subject, Path) else None
        where = str(subject) if subject is not None else " ".join(done.argv)
        return errors.failure(verb, redact(done.output), done.returncode, where=where, log=log)

    def _start(self, argv: Sequence[str], timeout_s: float, verb: str) -> Completed:
        try:
            return self.run(argv, timeout_s=timeout_s, env=self.env)
        except ProcessError as error:
            kind = errors.VmrunUnavailable if isinstance(error.__cause__, OSError) else errors.VmrunTimeout
            raise kind(f"vmrun {verb}: {error.what}", where=error.where, said=error.said, remedy=kind.advice) from error
