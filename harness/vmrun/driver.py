"""`Vmrun`: one method per verb of VMware's `vmrun`.

This package handles every quirk of the tool, so that callers get typed values or an error of `harness.vmrun.errors`:

* failures are printed on standard output, sometimes with exit status 0; -1 arrives as 255, 4294967295 or 127;
* `start` of a running VM fails or succeeds, by version: `list` is called first;
* `stop soft` hangs without Tools: it has a time limit and is followed by `hard`, and `list` decides the result;
* `stop` does not work on suspended VMs and refuses paused ones: they are resumed first;
* `reset hard` was seen to leave the VM off: `list` is called afterwards;
* a suspended VM reports the address that it had: `list` is called first;
* only vmware.log has the reason of "The operation was canceled";
* right after `suspend` a VMX cannot be read for a moment: the call is retried;
* a revert leaves the VM off, and was seen to be refused for a running one: it is powered off first, see `snapshots`;
* the exit status of a guest program is a line of text, and arguments lose their quoting, see `guest`;
* a killed or failed vmrun leaves `.lck` directories: a VM counts as off when they are gone.
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
from harness.vmrun import errors, parse, screenshot
from harness.vmrun.guest import Guest
from harness.vmrun.invocation import GuestLogin, VmrunProgram
from harness.vmrun.networks import HostNetworks
from harness.vmrun.parse import Display, StopMode, ToolsState, VmrunVersion
from harness.vmrun.power import Power, PowerState
from harness.vmrun.runtime import Runtime
from harness.vmrun.snapshots import Snapshots
from harness.vmware.linked_clones import clones_of

_SOFT_STOP_S = 60.0


class CloneKind(StrEnum):
    """The kind of a clone.

    A linked clone uses the disks of a snapshot, which then must not be deleted; a full one has disks of its own.
    """

    FULL = "full"
    LINKED = "linked"


class Vmrun:
    r"""A `vmrun` executable.

    Attributes:
        networks: The verbs of the host's virtual networks.

    Args:
        argv: The program and its first words: `("C:\…\vmrun.exe",)`, or an interpreter and a module.
        host_type: For `-T`: `ws`, `player` or `fusion`.
        env: Variables on top of this process's own.
        run: The process runner.
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
        """Return the VMX paths of running and paused VMs.

        They are spelled as vmrun prints them. Only VMs of this user, this logon and this elevation are listed.
        """
        return self._power.list_running(deadline)

    def is_running(self, vmx: Path, deadline: Deadline | None = None) -> bool:
        """Return whether `list` has the VM, in any spelling of its path."""
        return self._power.is_running(vmx, deadline)

    def power_state(self, vmx: Path, deadline: Deadline | None = None) -> PowerState:
        """Return whether the VM runs, is suspended, or is off."""
        return self._power.state(vmx, deadline)

    def start(self, vmx: Path, display: Display = Display.NOGUI, *, deadline: Deadline | None = None) -> bool:
        """Power on the VM; return False if it already ran.

        A suspended VM, or one reverted to a snapshot with memory, resumes.
        """
        return self._power.start(vmx, display, deadline)

    def stop(self, vmx: Path, mode: StopMode, *, deadline: Deadline | None = None) -> bool:
        """Request the VM to stop.

        Return False if it was off or suspended. `soft` needs running Tools. Use `stop_and_verify` to be sure
        that the VM is off afterwards.
        """
        return self._power.stop(vmx, mode, deadline)

    def stop_and_verify(self, vmx: Path, deadline: Deadline, *, soft_s: float = _SOFT_STOP_S) -> StopMode | None:
        """Power off the VM and verify that it is off.

        Afterwards it is not in `list` and has no `.lck` directories, so that its VMX may be edited.

        Args:
            vmx: The VM; a paused or suspended one is powered off without its guest.
            deadline: For all of it.
            soft_s: How long the guest may take to shut down before its power is cut; 0 cuts at once.

        Returns:
            How it was stopped, or None if it was off.

        Raises:
            DeadlineExpired: It still runs, or its locks still exist.
            VmrunError: The hard stop failed and the VM still runs, or it could not be resumed.
        """
        return self._power.switch_off(vmx, deadline, soft_s)

    def reset(self, vmx: Path, mode: StopMode = StopMode.HARD, *, display: Display = Display.NOGUI) -> None:
        """Restart the VM; start it if `reset` left it off."""
        self._power.reset(vmx, mode, display)

    def suspend(self, vmx: Path, mode: StopMode = StopMode.HARD, *, deadline: Deadline | None = None) -> None:
        """Suspend the VM: save its memory to a file and unlist it.

        `start` resumes it. With `soft`, Tools release the network first. Paused VMs can be suspended too.
        """
        self._power.suspend(vmx, mode, deadline)

    def pause(self, vmx: Path) -> None:
        """Pause the VM.

        It stays in `list`; only a refused operation shows that it is paused.
        """
        self._program.call("pause", vmx)

    def unpause(self, vmx: Path) -> None:
        """Resume a paused VM."""
        self._program.call("unpause", vmx)

    def snapshots(self, vmx: Path) -> Snapshots:
        """Return the snapshot operations of a VM."""
        return Snapshots(self._program, self._power, vmx)

    def runtime(self, vmx: Path, login: GuestLogin | None = None) -> Runtime:
        """Return the variable and device operations of a running VM."""
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
        """Clone the VM or a snapshot to a new VMX file.

        A snapshot can be cloned while the VM runs; the present state only while it is off. Deleting the VM or the
        snapshot afterwards breaks a linked clone. Set `uuid.action = "create"` and `msg.autoAnswer = "TRUE"` in the new
        VMX before its first start.

        Raises:
            VmAlreadyRunning: It runs, and no snapshot is named.
            SnapshotMissing: There is no such snapshot.
            SnapshotUnfit: The snapshot was taken while the VM ran.
            UnexpectedAnswer: It succeeded, and the VMX file does not exist.
        """
        options = [f"-snapshot={snapshot}"] if snapshot else []
        options += [f"-cloneName={name}"] if name else []
        done = self._program.call("clone", vmx, clone_vmx, kind, *options, deadline=deadline)
        if not clone_vmx.is_file():
            raise self._program.unexpected_output("clone", done, f"there is no {clone_vmx}")

    def upgrade_vm(self, vmx: Path) -> None:
        """Upgrade the virtual hardware of a VM that is off."""
        self._program.call("upgradevm", vmx)

    def delete_vm(self, vmx: Path) -> None:
        """Delete the files of a VM that is off.

        Files that are not its own are kept.

        Raises:
            VmAlreadyRunning: It runs.
            VmNotFound: There is no such VMX.
            ClonesDepend: A linked clone uses its disks.
            HostError: Its record of linked clones cannot be read.
        """
        clones = clones_of(vmx)
        if clones:
            users = ", ".join(str(clone.vmx) for clone in clones)
            raise errors.ClonesDepend(
                f"vmrun deleteVM was not called: {users} uses its disks too",
                where=str(vmx),
                remedy=errors.ClonesDepend.advice,
            )
        self._program.call("deleteVM", vmx)

    def guest(self, vmx: Path, login: GuestLogin) -> Guest:
        """Return the guest operations of a VM for one guest user."""
        return Guest(self._program, vmx, login)

    # -- the guest, seen through Tools ---------------------------------------------------------------------------

    def check_tools_state(self, vmx: Path, *, deadline: Deadline | None = None) -> ToolsState:
        """Return the state of Tools that vmrun reports.

        It is UNKNOWN for a VM that is off, with exit status -2, which is no failure. `installed` was seen to stay
        although guest operations work, and `running` to come before they do: use it as an observation, never as a
        condition.
        """
        done = self._program.invoke("checkToolsState", vmx, deadline=deadline)
        state = parse.parse_tools_state(done.stdout)
        if state is not None:
            return state
        raise self._program.failure("checkToolsState", done, vmx)

    def guest_ip_address(self, vmx: Path, deadline: Deadline | None = None) -> IPv4Address | None:
        """Return the address that Tools published, or None without one.

        With several network cards it may be the address of a bridge in the guest.

        Raises:
            ToolsNotRunning: Tools do not answer.
            VmNotPoweredOn: The VM is off or suspended.
            VmPaused: It is paused, which `list` does not show.
        """
        if not self.is_running(vmx, deadline):
            raise errors.VmNotPoweredOn(
                "the machine is not in `vmrun list`: an address that vmrun still reports is an old one",
                where=str(vmx),
                remedy=errors.VmNotPoweredOn.advice,
            )
        try:
            return self._program.query(parse.parse_guest_address, "getGuestIPAddress", vmx, deadline=deadline)
        except errors.NoGuestAddress:
            return None

    def capture_screen(
        self, vmx: Path, png: Path, login: GuestLogin | None = None, *, deadline: Deadline | None = None
    ) -> None:
        """Save the screen of the VM as a PNG file.

        VMware without `vmcli` requires running Tools and a guest login.

        Raises:
            UnexpectedAnswer: It succeeded, and there is no new picture.
            OSError: An existing file cannot be moved away.
        """
        screenshot.capture(self._program, vmx, png, login, deadline)

    # -- the program ---------------------------------------------------------------------------------------------

    def remove_state(self) -> None:
        """Delete the state of vmrun-qemu in its home; only vmrun-qemu can.

        Raises:
            VmAlreadyRunning: A VM runs.
            UsagePrinted: This is VMware's vmrun.
        """
        self._program.call("removeState")

    def about(self) -> Mapping[str, object]:
        """Return the QEMU and accelerator of vmrun-qemu; only vmrun-qemu can.

        The keys `accelerator` and `why` are among the result.

        Raises:
            UsagePrinted: This is VMware's vmrun.
        """
        return self._program.query(parse.parse_about, "about")

    def version(self) -> VmrunVersion | None:
        """Return the version above the usage text, or None without one."""
        return parse.parse_version(self._program.usage())
