"""The one way to a hypervisor: `Vmrun`, one method per verb of VMware's `vmrun`.

Every lie and quirk of the tool is settled here, so that callers see typed values or a class of `vmrun_errors`:

* failures are printed on standard output, sometimes with exit status 0; -1 arrives as 255, 4294967295 or 127;
* `start` of a running machine fails or succeeds by version: `list` is asked first;
* `stop soft` hangs without Tools: it is time-boxed, followed by `hard`, and `list` has the last word;
* `reset hard` was seen to leave the machine off: `list` is asked afterwards;
* the reason of "The operation was canceled" stands in vmware.log only;
* a killed or failed vmrun leaves `.lck` directories: a machine counts as off when they are gone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from harness import process
from harness import vmrun_answers as answers
from harness import vmrun_errors as errors
from harness.errors import DeadlineExpired
from harness.vmrun_answers import (
    Display,
    HostNetwork,
    NetworkKind,
    PortForwarding,
    Protocol,
    StopMode,
    ToolsState,
    VmrunVersion,
)
from harness.vmrun_call import GuestLogin, RunProgram, VmrunProgram
from harness.wait import SYSTEM_CLOCK, Clock, Deadline, Pending, wait_until

__all__ = [
    "Display",
    "GuestLogin",
    "HostNetwork",
    "NetworkKind",
    "PortForwarding",
    "Protocol",
    "RunProgram",
    "StopMode",
    "ToolsState",
    "Vmrun",
    "VmrunVersion",
]

_SOFT_STOP_S = 60.0
_POLL_S = 0.25
_SETTLE_S = 5.0  # after `reset`, for a machine that is not in `list` for a moment


class Vmrun:
    """A `vmrun` executable.

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
        self._program = VmrunProgram(tuple(argv), host_type, dict(env or {}), run)
        self._clock = clock
        self._platform = platform

    # -- machines ------------------------------------------------------------------------------------------------

    def list_running(self, deadline: Deadline | None = None) -> tuple[Path, ...]:
        """Return the VMX files of the machines that run, paused ones too, as vmrun spells them.

        Only machines of this user, this logon and this elevation are seen.
        """
        return tuple(Path(line) for line in self._program.parsed(answers.parse_running, "list", deadline=deadline))

    def is_running(self, vmx: Path, deadline: Deadline | None = None) -> bool:
        """Return whether `list` has that machine, whatever the spelling of its path."""
        return any(answers.same_vmx(vmx, running, self._platform) for running in self.list_running(deadline))

    def start(self, vmx: Path, display: Display = Display.NOGUI, *, deadline: Deadline | None = None) -> bool:
        """Have the machine powered on, its boot begun; return False where it already ran."""
        if self.is_running(vmx):
            return False
        try:
            self._program.call("start", vmx, display, deadline=deadline)
        except errors.VmAlreadyRunning:
            return False
        return True

    def stop(self, vmx: Path, mode: StopMode, *, deadline: Deadline | None = None) -> bool:
        """Have the machine told to stop; return False where it was off already.

        `soft` needs running Tools. Whether the machine is off afterwards is `list`'s to say: `stop_and_verify`.
        """
        try:
            self._program.call("stop", vmx, mode, deadline=deadline)
        except errors.VmNotPoweredOn:
            return False
        return True

    def stop_and_verify(self, vmx: Path, deadline: Deadline, *, soft_s: float = _SOFT_STOP_S) -> StopMode | None:
        """Have the machine off, absent from `list`, and without `.lck` directories; its VMX may be edited then.

        Args:
            vmx: The machine.
            deadline: For all of it.
            soft_s: How long the guest may take to shut down before its power is cut; 0 cuts at once.

        Returns:
            What did it, or None where the machine was off.

        Raises:
            DeadlineExpired: It still runs, or its locks are still there.
            VmrunError: The hard stop failed and the machine still runs.
        """
        done: StopMode | None = None
        if self.is_running(vmx):
            soft = soft_s > 0 and self._stop_soft(vmx, deadline.at_most(soft_s))
            done = StopMode.SOFT if soft else StopMode.HARD
            if not soft:
                self._stop_hard(vmx, deadline)
        self._wait_for_locks(vmx, deadline)
        return done

    def reset(self, vmx: Path, mode: StopMode = StopMode.HARD, *, display: Display = Display.NOGUI) -> None:
        """Have the machine restarted; one that `reset` left off is started again."""
        self._program.call("reset", vmx, mode)
        settle = Deadline(_SETTLE_S, self._clock)
        try:
            self._wait(lambda: self.is_running(vmx) or Pending("not in `vmrun list`"), settle, "runs again", vmx)
        except DeadlineExpired:
            self._program.call("start", vmx, display)

    def delete_vm(self, vmx: Path) -> None:
        """Have the machine's own files deleted; it must be off. Files that are not its own stay.

        Raises:
            VmAlreadyRunning: It runs.
            VmNotFound: There is no such VMX.
        """
        self._program.call("deleteVM", vmx)

    # -- the guest, seen through Tools ---------------------------------------------------------------------------

    def check_tools_state(self, vmx: Path) -> ToolsState:
        """Return what vmrun knows of Tools; a machine that is off has UNKNOWN, which exits -2 and is no failure."""
        done = self._program.raw("checkToolsState", str(vmx))
        state = answers.parse_tools_state(done.stdout)
        if state is not None:
            return state
        raise self._program.failure("checkToolsState", done, vmx)

    def guest_ip_address(self, vmx: Path, deadline: Deadline | None = None) -> IPv4Address | None:
        """Return the address that Tools published, or None while there is none.

        A suspended machine answers with its old address; with several cards it may be a bridge of the guest.

        Raises:
            ToolsNotRunning: Tools do not answer.
            VmNotPoweredOn: The machine is off.
            VmPaused: It is paused, which `list` does not tell.
        """
        try:
            return self._program.parsed(answers.parse_guest_address, "getGuestIPAddress", vmx, deadline=deadline)
        except errors.NoGuestAddress:
            return None

    def capture_screen(self, vmx: Path, png: Path, login: GuestLogin | None = None) -> None:
        """Have the machine's screen in that PNG file; VMware wants running Tools and a guest login for it."""
        self._program.call("captureScreen", vmx, png, login=login)

    # -- networks of the host ------------------------------------------------------------------------------------

    def list_host_networks(self) -> tuple[HostNetwork, ...]:
        """Return the host's virtual networks; Workstation on Linux does not have this verb."""
        return self._program.parsed(answers.parse_networks, "listHostNetworks")

    def list_port_forwardings(self, network: str) -> tuple[PortForwarding, ...]:
        """Return the ports of the host that lead into that network."""
        return self._program.parsed(answers.parse_forwardings, "listPortForwardings", network)

    def set_port_forwarding(self, network: str, forwarding: PortForwarding) -> None:
        """Have that port of the host lead to the guest, in place of what it led to; VMware may want elevation."""
        words = [
            network,
            forwarding.protocol.value,
            str(forwarding.host_port),
            str(forwarding.guest_address),
            str(forwarding.guest_port),
        ]
        self._program.call("setPortForwarding", *words, *([forwarding.description] if forwarding.description else []))

    def delete_port_forwarding(self, network: str, forwarding: PortForwarding) -> None:
        """Have that port of the host lead nowhere."""
        self._program.call("deletePortForwarding", network, forwarding.protocol.value, str(forwarding.host_port))

    def define_network(self, vmnet: str, subnet: IPv4Network) -> None:
        """Have that virtual network be host-only with that subnet: an extension that only vmrun-qemu has.

        Raises:
            UsagePrinted: This is VMware's vmrun; its networks are defined in the Virtual Network Editor.
        """
        self._program.call("defineNetwork", vmnet, str(subnet))

    def about(self) -> Mapping[str, object]:
        """Return what vmrun-qemu says of QEMU and of its accelerator (`accelerator`, `why`): an extension of its own.

        Raises:
            UsagePrinted: This is VMware's vmrun.
        """
        return self._program.parsed(answers.parse_about, "about")

    def version(self) -> VmrunVersion | None:
        """Return the version that vmrun prints above its usage, or None where it prints none."""
        return answers.parse_version(self._program.usage())

    # -- inside --------------------------------------------------------------------------------------------------

    def _stop_soft(self, vmx: Path, box: Deadline) -> bool:
        """Return whether the guest shut itself down within `box`; no failure of it is one of ours."""
        try:
            self.stop(vmx, StopMode.SOFT, deadline=box)
            self._wait_until_off(vmx, box)
        except (errors.MappedError, DeadlineExpired):
            return not self.is_running(vmx)
        return True

    def _stop_hard(self, vmx: Path, deadline: Deadline) -> None:
        try:
            self.stop(vmx, StopMode.HARD, deadline=deadline)
        except errors.MappedError:
            if self.is_running(vmx):
                raise
        self._wait_until_off(vmx, deadline)

    def _wait_until_off(self, vmx: Path, deadline: Deadline) -> None:
        def probe() -> bool | Pending:
            return Pending("`vmrun list` still has it") if self.is_running(vmx) else True

        remedy = "end the machine in Workstation, or by its vmware-vmx process"
        self._wait(probe, deadline, "the machine does not go off", vmx, remedy)

    def _wait_for_locks(self, vmx: Path, deadline: Deadline) -> None:
        def probe() -> bool | Pending:
            locks = sorted(path.name for path in vmx.parent.glob("*.lck"))
            return Pending(", ".join(locks)) if locks else True

        remedy = "close the machine in Workstation; remove .lck directories when no vmware-vmx process is left"
        self._wait(probe, deadline, "the machine is off, but its files are still locked", vmx, remedy)

    def _wait(
        self, probe: Callable[[], bool | Pending], deadline: Deadline, what: str, vmx: Path, remedy: str = ""
    ) -> None:
        wait_until(lambda _: probe(), deadline, what=what, where=str(vmx), remedy=remedy, interval_s=_POLL_S)
