"""One call of a `vmrun`.

Flags go before the verb, each verb has a time limit, and failures become errors of `harness.vmrun.errors`.
"""

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
from harness.vmrun import error_table, errors
from harness.vmrun.lock_files import locks_beside
from harness.vmrun.vmware_log import LogPosition

T = TypeVar("T")

# Seconds after which a call is ended. `start` was seen to take more than 3 minutes on a busy host, a snapshot with 8 GB
# of memory more than 5; consolidating a disk takes as long as copying it. A `stop soft` of a guest without Tools never
# ends, so its caller passes a deadline; the caller of a program in a guest does the same.
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
# VMware cannot read a VMX for a moment while it writes it (right after `suspend`); a malformed one it can never read.
_UNREADABLE_S = 5.0
_RETRY_S = 0.5


@dataclass(frozen=True)
class GuestLogin:
    """A guest account for guest operations.

    `vmrun` shows its password in the host's process list.

    Raises:
        UsageError: The password is empty, which VMware refuses.
    """

    user: str
    password: Secret

    def __post_init__(self) -> None:
        if not self.password.reveal():
            raise UsageError(
                f"the password of the guest user {self.user} is empty",
                remedy="set a password for the account: VMware refuses guest operations without one",
            )


@dataclass(frozen=True)
class VmrunProgram:
    """The `vmrun` executable and how it is called.

    Attributes:
        argv: The program and its first words.
        host_type: For `-T`.
        env: Variables on top of this process's own.
        run: The process runner.
        clock: For the pause before a retry.
    """

    argv: tuple[str, ...]
    host_type: str
    env: Mapping[str, str] = field(default_factory=dict)
    run: RunProgram = process.run
    clock: Clock = SYSTEM_CLOCK

    def query(
        self,
        parse: Callable[[str], T],
        verb: str,
        *words: str | Path,
        deadline: Deadline | None = None,
        login: GuestLogin | None = None,
    ) -> T:
        """Call a verb and return its parsed output.

        An output that `parse` accepts is no failure, even if a line of it begins with `Error:`.

        Raises:
            UnexpectedAnswer: It succeeded, and `parse` raised a ValueError.
            MappedError: As `call`.
        """
        position = _log_position(words)
        done = self.invoke(verb, *words, deadline=deadline, login=login)
        unreadable = "exit status of a failure"
        if done.returncode == 0:
            try:
                return parse(done.stdout)
            except ValueError as error:
                unreadable = str(error)
        if error_table.is_failure(done.output, done.returncode):
            raise self.failure(verb, done, *words, position=position)
        raise self.unexpected_output(verb, done, unreadable)

    def call(
        self, verb: str, *words: str | Path, deadline: Deadline | None = None, login: GuestLogin | None = None
    ) -> Completed:
        """Call a verb and return its result.

        A first word that is a Path is the VMX.

        Raises:
            MappedError: It failed, by its exit status or by its text.
        """
        position = _log_position(words)
        done = self.invoke(verb, *words, deadline=deadline, login=login)
        if error_table.is_failure(done.output, done.returncode):
            raise self.failure(verb, done, *words, position=position)
        return done

    def invoke(
        self, verb: str, *words: str | Path, deadline: Deadline | None = None, login: GuestLogin | None = None
    ) -> Completed:
        """Call a verb and return its result, also a failed one.

        A call whose VMX cannot be read is retried for some seconds.

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
        retrying = limit.at_most(_UNREADABLE_S)
        while True:
            done = self._start(argv, max(1.0, limit.remaining), verb, _vmx(words))
            unreadable = error_table.classify(done.output) is errors.VmUnreadable
            if not unreadable or retrying.expired:
                return done
            self.clock.sleep(_RETRY_S)

    def usage(self) -> str:
        """Return the output of the program without arguments."""
        return self._start(self.argv, _DEFAULT_TIMEOUT_S, "without a command", None).output

    def failure(
        self, verb: str, done: Completed, *words: str | Path, position: LogPosition | None = None
    ) -> errors.MappedError:
        """Return the error for a failed result, with locks and log entries."""
        vmx = _vmx(words)
        output = redact(done.output)
        more: list[str] = []
        evidence: list[str] = []
        reason = ""
        if position is not None and error_table.reason_is_in_log(output):
            reason = position.last_error()
            evidence += [str(position.path)] if position.path.is_file() else []
        if vmx is not None and error_table.classify(output) is errors.VmBusy:
            more += [f"lock: {lock}" for lock in locks_beside(vmx)]
        where = str(words[0]) if words else " ".join(done.argv)
        return error_table.error_of(
            verb, output, done.returncode, where=where, reason=reason, more=more, evidence=evidence
        )

    def unexpected_output(self, verb: str, done: Completed, why: str) -> errors.UnexpectedAnswer:
        """Return the error for a success with an output of unknown form."""
        return errors.UnexpectedAnswer(
            f"vmrun {verb} printed an unexpected output: {why}",
            where=redact(" ".join(done.argv)),
            detail=redact(done.output),
            remedy=errors.UnexpectedAnswer.advice,
        )

    def _start(self, argv: Sequence[str], timeout_s: float, verb: str, vmx: Path | None) -> Completed:
        """Run the program once.

        The children of a `start` that hangs are kept: one is the VM, which may run well.
        """
        before = locks_beside(vmx) if vmx is not None else ()
        try:
            return self.run(argv, timeout_s=timeout_s, env=self.env, keep_children=verb == "start")
        except ProcessError as error:
            kind = errors.VmrunUnavailable if isinstance(error.__cause__, OSError) else errors.VmrunTimeout
            after = locks_beside(vmx) if vmx is not None and kind is errors.VmrunTimeout else ()
            locks = [f"left behind: {lock}" for lock in after if lock not in before]
            output = "\n".join([*error.detail.splitlines(), *locks])
            raise kind(f"vmrun {verb}: {error.what}", where=error.where, detail=output, remedy=kind.advice) from error


def _vmx(words: Sequence[str | Path]) -> Path | None:
    return words[0] if words and isinstance(words[0], Path) else None


def _log_position(words: Sequence[str | Path]) -> LogPosition | None:
    vmx = _vmx(words)
    return None if vmx is None else LogPosition.beside(vmx)
