"""Whether a machine runs, and having it off for certain: `list` has the last word, and the locks after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from harness.core.deadline import Clock, Deadline, Pending, wait_until
from harness.core.errors import DeadlineExpired
from harness.vmrun import errors
from harness.vmrun import parse as answers
from harness.vmrun.invocation import VmrunProgram
from harness.vmrun.lock_files import locks_beside
from harness.vmrun.parse import Display, StopMode
from harness.vmrun.paths import same_vmx
from harness.vmware.vmx import Vmx, VmxError

_POLL_S = 0.25
_SETTLE_S = 5.0  # after `reset`, for a machine that is not in `list` for a moment


class PowerState(StrEnum):
    """What can be told of a machine without asking its guest; a paused one is RUNNING for `list`."""

    RUNNING = "running"
    SUSPENDED = "suspended"
    OFF = "off"


@dataclass(frozen=True)
class Power:
    """The power verbs of a `vmrun`, with what follows each of them until its effect is certain."""

    program: VmrunProgram
    clock: Clock
    platform: str

    def list_running(self, deadline: Deadline | None = None) -> tuple[Path, ...]:
        """Return the VMX files of the machines that run, as vmrun spells them."""
        return tuple(Path(line) for line in self.program.parsed(answers.parse_running, "list", deadline=deadline))

    def is_running(self, vmx: Path, deadline: Deadline | None = None) -> bool:
        """Return whether `list` has that machine, whatever the spelling of its path."""
        return any(same_vmx(vmx, running, self.platform) for running in self.list_running(deadline))

    def state(self, vmx: Path, deadline: Deadline | None = None) -> PowerState:
        """Return whether the machine runs, and if it does not, whether its next start resumes it."""
        if self.is_running(vmx, deadline):
            return PowerState.RUNNING
        return PowerState.SUSPENDED if saved_state(vmx) else PowerState.OFF

    def start(self, vmx: Path, display: Display, deadline: Deadline | None) -> bool:
        """Have the machine running; return False where it ran already. A vmrun that hangs after it counts as done."""
        if self.is_running(vmx, deadline):
            return False
        try:
            self.program.call("start", vmx, display, deadline=deadline)
        except errors.VmAlreadyRunning:
            return False
        except errors.VmrunTimeout:
            if self._listed(vmx, deadline) is not True:
                raise
        return True

    def stop(self, vmx: Path, mode: StopMode, deadline: Deadline | None) -> bool:
        """Have the machine told to stop; return False where it was off already."""
        try:
            self.program.call("stop", vmx, mode, deadline=deadline)
        except errors.VmNotPoweredOn:
            return False
        return True

    def reset(self, vmx: Path, mode: StopMode, display: Display) -> None:
        """Have the machine restarted; one that `reset` left off is started again."""
        self.program.call("reset", vmx, mode)
        settle = Deadline(_SETTLE_S, self.clock)
        try:
            self._wait(lambda: self.is_running(vmx) or Pending("not in `vmrun list`"), settle, "runs again", vmx)
        except DeadlineExpired:
            self.start(vmx, display, None)

    def suspend(self, vmx: Path, mode: StopMode, deadline: Deadline | None) -> None:
        """Have the machine's memory in a file, the machine gone from `list`, and its locks gone."""
        self.program.call("suspend", vmx, mode, deadline=deadline)
        settle = deadline or Deadline(_SETTLE_S, self.clock)
        self._wait_until_gone(vmx, settle)
        self.wait_for_locks(vmx, settle)

    def switch_off(self, vmx: Path, deadline: Deadline, soft_s: float) -> StopMode | None:
        """Have the machine off, absent from `list`, without locks and without a suspended state.

        vmrun cannot stop a suspended machine: it is resumed first and its power is cut then.
        """
        done: StopMode | None = None
        state = self.state(vmx, deadline)
        if state is PowerState.SUSPENDED:
            self.start(vmx, Display.NOGUI, deadline)
            soft_s = 0
        if state is not PowerState.OFF:
            soft = soft_s > 0 and self._stop_soft(vmx, deadline, soft_s)
            done = StopMode.SOFT if soft else StopMode.HARD
            if not soft:
                self.cut(vmx, deadline)
        self.wait_for_locks(vmx, deadline)
        return done

    def cut(self, vmx: Path, deadline: Deadline) -> None:
        """Have the machine's power gone; a paused one is let run for that."""
        try:
            self._stop_hard(vmx, deadline)
        except errors.MappedError:
            if self._listed(vmx, deadline) is not False:
                raise
        self._wait_until_gone(vmx, deadline)

    def _stop_hard(self, vmx: Path, deadline: Deadline) -> None:
        try:
            self.stop(vmx, StopMode.HARD, deadline)
        except errors.VmPaused:
            self.program.call("unpause", vmx, deadline=deadline)
            self.stop(vmx, StopMode.HARD, deadline)

    def _stop_soft(self, vmx: Path, deadline: Deadline, soft_s: float) -> bool:
        """Return whether the guest shut itself down within `soft_s`; no failure of it is one of ours."""
        box = deadline.at_most(soft_s)
        try:
            self.stop(vmx, StopMode.SOFT, box)
            self._wait_until_gone(vmx, box)
        except (errors.MappedError, DeadlineExpired):
            return self._listed(vmx, deadline) is False
        return True

    def _listed(self, vmx: Path, deadline: Deadline | None) -> bool | None:
        """Return whether `list` has the machine, or None where it does not answer in time: for after a failure."""
        try:
            return self.is_running(vmx, deadline)
        except errors.VmrunTimeout:
            return None

    def _wait_until_gone(self, vmx: Path, deadline: Deadline) -> None:
        def probe() -> bool | Pending:
            return Pending("`vmrun list` still has it") if self.is_running(vmx, deadline) else True

        remedy = "end the machine in Workstation, or by its vmware-vmx process"
        self._wait(probe, deadline, "the machine does not go off", vmx, remedy)

    def wait_for_locks(self, vmx: Path, deadline: Deadline) -> None:
        """Return when no `.lck` directory is beside the VMX.

        Raises:
            DeadlineExpired: With the locks that are left, and whose they are.
        """

        def probe() -> bool | Pending:
            locks = locks_beside(vmx)
            return Pending(", ".join(map(str, locks))) if locks else True

        remedy = (
            "close the machine in Workstation; where vmware-vmx holds it, it runs for another user, service or "
            "elevation, whose machines `vmrun list` does not show; remove .lck directories only when no "
            "vmware-vmx process is left"
        )
        self._wait(probe, deadline, "the machine is not in `vmrun list`, but its files are still locked", vmx, remedy)

    def _wait(
        self, probe: Callable[[], bool | Pending], deadline: Deadline, what: str, vmx: Path, remedy: str = ""
    ) -> None:
        wait_until(lambda _: probe(), deadline, what=what, where=str(vmx), remedy=remedy, interval_s=_POLL_S)


def saved_state(vmx: Path) -> str:
    """Return the file that the next start of a machine resumes, or an empty text.

    That is `checkpoint.vmState` of the VMX: a `.vmss` after `suspend`, a `.vmsn` after a revert to a snapshot of a
    running machine. A VMX that cannot be read, as an encrypted one, or has no such key leaves the `.vmss` beside it to
    go by.
    """
    try:
        state = Vmx.read(vmx).get("checkpoint.vmState")
    except (VmxError, OSError):
        state = None
    if state is not None:
        return state
    return next((path.name for path in sorted(vmx.parent.glob("*.vmss"))), "")
