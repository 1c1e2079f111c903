"""One call of a `vmrun`: flags before the verb, a time limit per verb, failures as `harness.vmrun.errors`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from harness.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from harness.core.errors import ProcessError, UsageError
from harness.core.secret import Secret, redact
from harness.system import process
from harness.system.process import Completed, RunProgram
from harness.vmrun import error_table as failures
from harness.vmrun import errors
from harness.vmrun.lock_files import locks_beside
from harness.vmrun.vmware_log import LogMark

T = TypeVar("T")

# Seconds after which a call is ended. `start` was seen to take more than 3 minutes on a busy host, a snapshot with 8 GB
# of memory more than 5; consolidating a disk takes as long as copying it. A `stop soft` of a guest without Tools never
# ends, so its caller gives a deadline; so does whoever runs a program in a guest.
TIMEOUT_S: Mapping[str, float] = {
    "list": 30,
    "start": 600,
    "stop": 120,
    "reset": 120,
    "suspend": 600,
    "snapshot": 1800,
    "revertToSnapshot": 1800,
    "deleteSnapshot": 1800,
    "clone": 1800,
    "deleteVM": 300,
    "checkToolsState": 30,
    "getGuestIPAddress": 30,
    "runProgramInGuest": 600,
    "runScriptInGuest": 600,
    "CopyFileFromHostToGuest": 1800,
    "CopyFileFromGuestToHost": 1800,
}
_DEFAULT_TIMEOUT_S = 60.0
# A VMX that VMware is writing (right after `suspend`) cannot be read for a moment; a malformed one never can.
_UNREADABLE_S = 5.0
_RETRY_S = 0.5


@dataclass(frozen=True)
class GuestLogin:
    """A guest account for guest operations; `vmrun` shows its password in the host's process list.

    Raises:
        UsageError: The password is empty, which VMware refuses.
    """

    user: str
    password: Secret

    def __post_init__(self) -> None:
        if not self.password.reveal():
            raise UsageError(
                f"the password of the guest user {self.user} is empty",
                remedy="VMware refuses guest operations without a password: give the account one",
            )


@dataclass(frozen=True)
class VmrunProgram:
    """The executable and how it is called.

    Attributes:
        argv: The program and its first words.
        host_type: For `-T`.
        env: Variables on top of this process's own.
        run: The process door.
        clock: For the pause before a second attempt.
    """

    argv: tuple[str, ...]
    host_type: str
    env: Mapping[str, str] = field(default_factory=dict)
    run: RunProgram = process.run
    clock: Clock = SYSTEM_CLOCK

    def parsed(
        self,
        parse: Callable[[str], T],
        verb: str,
        *words: str | Path,
        deadline: Deadline | None = None,
        login: GuestLogin | None = None,
    ) -> T:
        """Return the parsed answer of a verb; an answer that can be parsed is one, whatever its lines begin with.

        Raises:
            UnexpectedAnswer: It succeeded with a text that `parse` refuses by a ValueError.
            MappedError: As `call`.
        """
        mark = _log_mark(words)
        done = self.answer(verb, *words, deadline=deadline, login=login)
        unreadable = "exit status of a failure"
        if done.returncode == 0:
            try:
                return parse(done.stdout)
            except ValueError as error:
                unreadable = str(error)
        if failures.failed(done.output, done.returncode):
            raise self.failure(verb, done, *words, mark=mark)
        raise self.unexpected(verb, done, unreadable)

    def call(
        self, verb: str, *words: str | Path, deadline: Deadline | None = None, login: GuestLogin | None = None
    ) -> Completed:
        """Return the answer of a verb that succeeded; the first word is the VMX, where it is a Path.

        Raises:
            MappedError: It failed, by its exit status or by its text.
        """
        mark = _log_mark(words)
        done = self.answer(verb, *words, deadline=deadline, login=login)
        if failures.failed(done.output, done.returncode):
            raise self.failure(verb, done, *words, mark=mark)
        return done

    def answer(
        self, verb: str, *words: str | Path, deadline: Deadline | None = None, login: GuestLogin | None = None
    ) -> Completed:
        """Return the answer of a verb, whatever it is; a VMX that cannot be read is tried again for some seconds.

        Raises:
            VmrunTimeout: It did not end within the verb's limit or the deadline, and was ended.
            VmrunUnavailable: It could not be started.
        """
        flags = ["-T", self.host_type]
        if login is not None:
            flags += ["-gu", login.user, "-gp", login.password.reveal()]
        argv = (*self.argv, *flags, verb, *map(str, words))
        limit = Deadline(TIMEOUT_S.get(verb, _DEFAULT_TIMEOUT_S), self.clock)
        if deadline is not None:
            limit = deadline.at_most(limit.seconds)
        patience = limit.at_most(_UNREADABLE_S)
        while True:
            done = self._start(argv, max(1.0, limit.remaining), verb, _vmx(words))
            unreadable = failures.classify(done.output) is errors.VmUnreadable
            if not unreadable or patience.expired:
                return done
            self.clock.sleep(_RETRY_S)

    def usage(self) -> str:
        """Return what the program prints without any word."""
        return self._start(self.argv, _DEFAULT_TIMEOUT_S, "without a command", None).output

    def failure(
        self, verb: str, done: Completed, *words: str | Path, mark: LogMark | None = None
    ) -> errors.MappedError:
        """Return the error for that answer, with what the files beside the VMX add to it."""
        vmx = _vmx(words)
        output = redact(done.output)
        more: list[str] = []
        evidence: list[str] = []
        reason = ""
        if mark is not None and failures.hides_its_reason(output):
            reason = mark.error_since()
            evidence += [str(mark.path)] if mark.path.is_file() else []
        if vmx is not None and failures.classify(output) is errors.VmBusy:
            more += [f"lock: {lock}" for lock in locks_beside(vmx)]
        where = str(words[0]) if words else " ".join(done.argv)
        return failures.failure(verb, output, done.returncode, where=where, reason=reason, more=more, evidence=evidence)

    def unexpected(self, verb: str, done: Completed, why: str) -> errors.UnexpectedAnswer:
        """Return the error for an answer that is no failure and fits no reading."""
        return errors.UnexpectedAnswer(
            f"vmrun {verb} answered with something else: {why}",
            where=redact(" ".join(done.argv)),
            said=redact(done.output),
            remedy=errors.UnexpectedAnswer.advice,
        )

    def _start(self, argv: Sequence[str], timeout_s: float, verb: str, vmx: Path | None) -> Completed:
        """Return the answer; what a `start` that hangs has started is the machine, which may run."""
        before = locks_beside(vmx) if vmx is not None else ()
        try:
            return self.run(argv, timeout_s=timeout_s, env=self.env, keep_children=verb == "start")
        except ProcessError as error:
            kind = errors.VmrunUnavailable if isinstance(error.__cause__, OSError) else errors.VmrunTimeout
            after = locks_beside(vmx) if vmx is not None and kind is errors.VmrunTimeout else ()
            left = [f"it left {lock}" for lock in after if lock not in before]
            said = "\n".join([*error.said.splitlines(), *left])
            raise kind(f"vmrun {verb}: {error.what}", where=error.where, said=said, remedy=kind.advice) from error


def _vmx(words: Sequence[str | Path]) -> Path | None:
    return words[0] if words and isinstance(words[0], Path) else None


def _log_mark(words: Sequence[str | Path]) -> LogMark | None:
    vmx = _vmx(words)
    return None if vmx is None else LogMark.beside(vmx)
