"""`Vmrun`: one method per verb of VMware's `vmrun`.

Every lie and quirk of the tool is settled here and in the modules beside this one, so that callers see typed values or
a class of `harness.vmrun.errors`:

* failures are printed on standard output, sometimes with exit status 0; -1 arrives as 255, 4294967295 or 127;
* `start` of a running machine fails or succeeds by version: `list` is asked first;
* `stop soft` hangs without Tools: it is time-boxed, followed by `hard`, and `list` has the last word;
* `stop` knows nothing of suspended machines and refuses paused ones: they are let run first;
* `reset hard` was seen to leave the machine off: `list` is asked afterwards;
* a suspended machine answers with the address that it had: `list` is asked first;
* the reason of "The operation was canceled" stands in vmware.log only;
* right after `suspend` a VMX cannot be read for a moment: that is tried again;
* a revert leaves the machine off, and of a running one was seen to be refused: its power goes first, see `snapshots`;
* a guest's exit status comes as a line of text, and arguments lose what holds them together, see `guest`;
* a killed or failed vmrun leaves `.lck` directories: a machine counts as off when they are gone.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from ipaddress import IPv4Address
from pathlib import Path

from harness.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from harness.system import process
from harness.system.process import RunProgram
from harness.vmrun import errors
from harness.vmrun import parse as answers
from harness.vmrun.guest import Guest
from harness.vmrun.invocation import GuestLogin, VmrunProgram
from harness.vmrun.networks import HostNetworks
from harness.vmrun.parse import Display, StopMode, ToolsState, VmrunVersion
from harness.vmrun.power import Power, PowerState
from harness.vmrun.replaced_file import fresh
from harness.vmrun.runtime import Runtime
from harness.vmrun.snapshots import Snapshots
from harness.vmware.linked_clones import clones_of

_SOFT_STOP_S = 60.0
_PNG = b"\x89PNG\r\n\x1a\n"


class CloneKind(StrEnum):
    """Whether a clone has disks of its own, or adds to those of a snapshot (which then must not go)."""

    FULL = "full"
    LINKED = "linked"


class Vmrun:
    """A `vmrun` executable.

    Attributes:
        networks: The verbs of the host's virtual networks.

    Args:
        argv: The program and its first words: `("C:\\…\\vmrun.exe",)`, or an interpreter and a module.
        host_type: For `-T`: `ws`, `player` or `fusion`.
        env: Variables on top of this process's own.
        run: The process door.
        clock: For deadlines and waits.
        platform: As `sys.platform`; decides how VMX paths are compared.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        host_type: str = "ws",
        env: Mapping[str, str] | None = None,
        run: RunProgram = process.run,
        clock: Clock = SYSTEM_CLOCK,
        platform: str = sys.platform,
    ) -> None:
        self._program = VmrunProgram(tuple(argv), host_type, dict(env or {}), run, clock)
        self._power = Power(self._program, clock, platform)
        self.networks = HostNetworks(self._program)

    # -- power ---------------------------------------------------------------------------------------------------

    def list_running(self, deadline: Deadline | None = None) -> tuple[Path, ...]:
        """Return the VMX files of the machines that run, paused ones too, as vmrun spells them.

        Only machines of this user, this logon and this elevation are seen.
        """
        return self._power.list_running(deadline)

    def is_running(self, vmx: Path, deadline: Deadline | None = None) -> bool:
        """Return whether `list` has that machine, whatever the spelling of its path."""
        return self._power.is_running(vmx, deadline)

    def power_state(self, vmx: Path, deadline: Deadline | None = None) -> PowerState:
        """Return whether the machine runs, and if it does not, whether its next start resumes it."""
        return self._power.state(vmx, deadline)

    def start(self, vmx: Path, display: Display = Display.NOGUI, *, deadline: Deadline | None = None) -> bool:
        """Have the machine powered on, its boot begun; return False where it already ran.

        A suspended machine, or one reverted to a snapshot that has memory, goes on where it was.
        """
        return self._power.start(vmx, display, deadline)

    def stop(self, vmx: Path, mode: StopMode, *, deadline: Deadline | None = None) -> bool:
        """Have the machine told to stop; return False where it was off already, or is suspended.

        `soft` needs running Tools. Whether the machine is off afterwards is `list`'s to say: `stop_and_verify`.
        """
        return self._power.stop(vmx, mode, deadline)

    def stop_and_verify(self, vmx: Path, deadline: Deadline, *, soft_s: float = _SOFT_STOP_S) -> StopMode | None:
        """Have the machine off, absent from `list`, and without `.lck` directories; its VMX may be edited then.

        Args:
            vmx: The machine; it may be paused or suspended, and is not asked then.
            deadline: For all of it.
            soft_s: How long the guest may take to shut down before its power is cut; 0 cuts at once.

        Returns:
            What did it, or None where the machine was off.

        Raises:
            DeadlineExpired: It still runs, or its locks are still there.
            VmrunError: The hard stop failed and the machine still runs, or it could not be resumed.
        """
        return self._power.switch_off(vmx, deadline, soft_s)

    def reset(self, vmx: Path, mode: StopMode = StopMode.HARD, *, display: Display = Display.NOGUI) -> None:
        """Have the machine restarted; one that `reset` left off is started again."""
        self._power.reset(vmx, mode, display)

    def suspend(self, vmx: Path, mode: StopMode = StopMode.HARD, *, deadline: Deadline | None = None) -> None:
        """Have the machine's memory in a file and the machine gone from `list`; `start` lets it go on.

        `soft` has Tools release the network first. Paused machines can be suspended too.
        """
        self._power.suspend(vmx, mode, deadline)

    def pause(self, vmx: Path) -> None:
        """Have the machine stand still; it stays in `list`, and nothing but a refused operation tells of it."""
        self._program.call("pause", vmx)

    def unpause(self, vmx: Path) -> None:
        """Have a paused machine go on."""
        self._program.call("unpause", vmx)

    def snapshots(self, vmx: Path) -> Snapshots:
        """Return the snapshots of that machine."""
        return Snapshots(self._program, self._power, vmx)

    def runtime(self, vmx: Path, login: GuestLogin | None = None) -> Runtime:
        """Return the variables and devices of that machine while it runs."""
        return Runtime(self._program, vmx, login)

    # -- life ----------------------------------------------------------------------------------------------------

    def clone(
        self,
        vmx: Path,
        clone_vmx: Path,
        kind: CloneKind,
        *,
        snapshot: str = "",
        name: str = "",
        deadline: Deadline | None = None,
    ) -> None:
        """Have a clone of the machine, or of one of its snapshots, with that VMX file.

        The clone of a snapshot works while the machine runs; that of its present state wants it off. Deleting the
        machine or the snapshot afterwards breaks a linked clone. Set `uuid.action = "create"` and
        `msg.autoAnswer = "TRUE"` in the new VMX before its first start.

        Raises:
            VmAlreadyRunning: It runs, and no snapshot is named.
            SnapshotMissing: There is no such snapshot.
            SnapshotUnfit: The snapshot was taken while the machine ran.
            UnexpectedAnswer: It succeeded, and there is no such VMX file.
        """
        options = [f"-snapshot={snapshot}"] if snapshot else []
        options += [f"-cloneName={name}"] if name else []
        done = self._program.call("clone", vmx, clone_vmx, kind, *options, deadline=deadline)
        if not clone_vmx.is_file():
            raise self._program.unexpected("clone", done, f"there is no {clone_vmx}")

    def upgrade_vm(self, vmx: Path) -> None:
        """Have the machine's virtual hardware of the product's own version; it must be off."""
        self._program.call("upgradevm", vmx)

    def delete_vm(self, vmx: Path) -> None:
        """Have the machine's own files deleted; it must be off. Files that are not its own stay.

        Raises:
            VmAlreadyRunning: It runs.
            VmNotFound: There is no such VMX.
            ClonesDepend: A linked clone uses its disks.
            HostError: Whether one does is not known.
        """
        clones = clones_of(vmx)
        if clones:
            users = ", ".join(str(clone.vmx) for clone in clones)
            raise errors.ClonesDepend(
                f"vmrun deleteVM was not called: its disks are those of {users} too",
                where=str(vmx),
                remedy=errors.ClonesDepend.advice,
            )
        self._program.call("deleteVM", vmx)

    def guest(self, vmx: Path, login: GuestLogin) -> Guest:
        """Return the guest operations on that machine, as that user of its guest."""
        return Guest(self._program, vmx, login)

    # -- the guest, seen through Tools ---------------------------------------------------------------------------

    def check_tools_state(self, vmx: Path, *, deadline: Deadline | None = None) -> ToolsState:
        """Return what vmrun knows of Tools; a machine that is off has UNKNOWN, which exits -2 and is no failure.

        `installed` was seen to stay although guest operations work, and `running` to come before they do: it is an
        observation, never a condition.
        """
        done = self._program.answer("checkToolsState", vmx, deadline=deadline)
        state = answers.parse_tools_state(done.stdout)
        if state is not None:
            return state
        raise self._program.failure("checkToolsState", done, vmx)

    def guest_ip_address(self, vmx: Path, deadline: Deadline | None = None) -> IPv4Address | None:
        """Return the address that Tools published, or None while there is none.

        With several cards it may be a bridge of the guest.

        Raises:
            ToolsNotRunning: Tools do not answer.
            VmNotPoweredOn: The machine is off or suspended.
            VmPaused: It is paused, which `list` does not tell.
        """
        if not self.is_running(vmx, deadline):
            raise errors.VmNotPoweredOn(
                "the machine is not in `vmrun list`: an address that vmrun still knows is an old one",
                where=str(vmx),
                remedy=errors.VmNotPoweredOn.advice,
            )
        try:
            return self._program.parsed(answers.parse_guest_address, "getGuestIPAddress", vmx, deadline=deadline)
        except errors.NoGuestAddress:
            return None

    def capture_screen(self, vmx: Path, png: Path, login: GuestLogin | None = None) -> None:
        """Have the machine's screen in that PNG file; VMware wants running Tools and a guest login for it.

        Raises:
            UnexpectedAnswer: It succeeded, and there is no new picture.
            OSError: What was there cannot be moved.
        """
        with fresh(png):
            done = self._program.call("captureScreen", vmx, png, login=login)
            is_picture = png.is_file() and png.read_bytes()[: len(_PNG)] == _PNG
        if not is_picture:
            raise self._program.unexpected("captureScreen", done, f"there is no picture in {png}")

    # -- the program ---------------------------------------------------------------------------------------------

    def remove_state(self) -> None:
        """Have nothing left of what vmrun-qemu remembers in its home: an extension that only vmrun-qemu has.

        Raises:
            VmAlreadyRunning: A machine runs.
            UsagePrinted: This is VMware's vmrun.
        """
        self._program.call("removeState")

    def about(self) -> Mapping[str, object]:
        """Return what vmrun-qemu says of QEMU and of its accelerator (`accelerator`, `why`): an extension of its own.

        Raises:
            UsagePrinted: This is VMware's vmrun.
        """
        return self._program.parsed(answers.parse_about, "about")

    def version(self) -> VmrunVersion | None:
        """Return the version that vmrun prints above its usage, or None where it prints none."""
        return answers.parse_version(self._program.usage())
