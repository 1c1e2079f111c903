"""Power operations.

`vmrun list` decides whether a VM runs; a VM is off once its `.lck` directories are gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from harness.core.deadline import Clock, Deadline, Pending, wait_until
from harness.core.errors import DeadlineExpired
from harness.vmrun import errors, parse
from harness.vmrun.invocation import VmrunProgram
from harness.vmrun.lock_files import locks_beside
from harness.vmrun.parse import Display, StopMode
from harness.vmrun.paths import same_vmx
from harness.vmware.vmx import Vmx, VmxError

_POLL_S = 0.25
_SETTLE_S = 5.0  # after `reset` a VM can be missing in `list` for a moment


class PowerState(StrEnum):
    """The power state without the guest; a paused VM counts as RUNNING."""

    RUNNING = "running"
    SUSPENDED = "suspended"
    OFF = "off"


@dataclass(frozen=True)
class Power:
    """The power verbs of a `vmrun`, with the wait for their effect."""

    program: VmrunProgram
    clock: Clock
    platform: str

    def list_running(self, deadline: Deadline | None = None) -> tuple[Path, ...]:
        """Return the VMX paths of running VMs, as vmrun spells them."""
        return tuple(Path(line) for line in self.program.query(parse.parse_running, "list", deadline=deadline))

    def is_running(self, vmx: Path, deadline: Deadline | None = None) -> bool:
        """Return whether `list` has the VM, in any spelling of its path."""
        return any(same_vmx(vmx, running, self.platform) for running in self.list_running(deadline))

    def state(self, vmx: Path, deadline: Deadline | None = None) -> PowerState:
        """Return whether the VM runs, is suspended, or is off."""
        if self.is_running(vmx, deadline):
            return PowerState.RUNNING
        return PowerState.SUSPENDED if saved_state_file(vmx) else PowerState.OFF

    def start(self, vmx: Path, display: Display, deadline: Deadline | None) -> bool:
        """Power on the VM; return False if it already ran.

        If vmrun hangs and the VM is in `list`, it counts as started.
        """
        if self.is_running(vmx, deadline):
            return False
        try:
            self.program.call("start", vmx, display, deadline=deadline)
        except errors.VmAlreadyRunning:
            return False
        except errors.VmrunTimeout:
            if self._is_listed(vmx, deadline) is not True:
                raise
        return True

    def stop(self, vmx: Path, mode: StopMode, deadline: Deadline | None) -> bool:
        """Request the VM to stop; return False if it was off."""
        try:
            self.program.call("stop", vmx, mode, deadline=deadline)
        except errors.VmNotPoweredOn:
            return False
        return True

    def reset(self, vmx: Path, mode: StopMode, display: Display) -> None:
        """Restart the VM; start it if `reset` left it off."""
        self.program.call("reset", vmx, mode)
        limit = Deadline(_SETTLE_S, self.clock)
        try:
            self._wait(lambda: self.is_running(vmx) or Pending("not in `vmrun list`"), limit, "runs again", vmx)
        except DeadlineExpired:
            self.start(vmx, display, None)

    def suspend(self, vmx: Path, mode: StopMode, deadline: Deadline | None) -> None:
        """Suspend the VM and wait until it is unlisted and unlocked."""
        self.program.call("suspend", vmx, mode, deadline=deadline)
        limit = deadline or Deadline(_SETTLE_S, self.clock)
        self._wait_until_unlisted(vmx, limit)
        self.wait_for_locks(vmx, limit)

    def switch_off(self, vmx: Path, deadline: Deadline, soft_s: float) -> StopMode | None:
        """Power off the VM and wait until it is unlisted and unlocked.

        vmrun cannot stop a suspended VM: it is resumed first and its power is cut then.
        """
        stopped_by: StopMode | None = None
        state = self.state(vmx, deadline)
        if state is PowerState.SUSPENDED:
            self.start(vmx, Display.NOGUI, deadline)
            soft_s = 0
        if state is not PowerState.OFF:
            soft = soft_s > 0 and self._stop_soft(vmx, deadline, soft_s)
            stopped_by = StopMode.SOFT if soft else StopMode.HARD
            if not soft:
                self.cut_power(vmx, deadline)
        self.wait_for_locks(vmx, deadline)
        return stopped_by

    def cut_power(self, vmx: Path, deadline: Deadline) -> None:
        """Cut the power of the VM; a paused one is resumed first."""
        try:
            self._stop_hard(vmx, deadline)
        except errors.MappedError:
            if self._is_listed(vmx, deadline) is not False:
                raise
        self._wait_until_unlisted(vmx, deadline)

    def _stop_hard(self, vmx: Path, deadline: Deadline) -> None:
        try:
            self.stop(vmx, StopMode.HARD, deadline)
        except errors.VmPaused:
            self.program.call("unpause", vmx, deadline=deadline)
            self.stop(vmx, StopMode.HARD, deadline)

    def _stop_soft(self, vmx: Path, deadline: Deadline, soft_s: float) -> bool:
        """Return whether the guest shut down within `soft_s`.

        A failure of the soft stop is no failure of ours, because a hard one follows.
        """
        limit = deadline.at_most(soft_s)
        try:
            self.stop(vmx, StopMode.SOFT, limit)
            self._wait_until_unlisted(vmx, limit)
        except (errors.MappedError, DeadlineExpired):
            return self._is_listed(vmx, deadline) is False
        return True

    def _is_listed(self, vmx: Path, deadline: Deadline | None) -> bool | None:
        """Return whether `list` has the VM, or None after a timeout.

        It is for use after a failure.
        """
        try:
            return self.is_running(vmx, deadline)
        except errors.VmrunTimeout:
            return None

    def _wait_until_unlisted(self, vmx: Path, deadline: Deadline) -> None:
        def probe() -> bool | Pending:
            return Pending("`vmrun list` still has it") if self.is_running(vmx, deadline) else True

        remedy = "end the machine in Workstation, or by its vmware-vmx process"
        self._wait(probe, deadline, "the machine does not power off", vmx, remedy)

    def wait_for_locks(self, vmx: Path, deadline: Deadline) -> None:
        """Wait until there is no `.lck` directory beside the VMX.

        Raises:
            DeadlineExpired: With the remaining locks and their owners.
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


def saved_state_file(vmx: Path) -> str:
    """Return the file that the next start resumes, or an empty text.

    It is `checkpoint.vmState` of the VMX: a `.vmss` after `suspend`, a `.vmsn` after a revert to a snapshot of a
    running VM. If the VMX has no such key or cannot be read, as an encrypted one, the `.vmss` beside it counts.
    """
    try:
        state = Vmx.read(vmx).get("checkpoint.vmState")
    except (VmxError, OSError):
        state = None
    if state is not None:
        return state
    return next((path.name for path in sorted(vmx.parent.glob("*.vmss"))), "")
