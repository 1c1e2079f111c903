"""State and address of a guest as VMware Tools report them.

The report shows them; no verdict depends on them.

Tools were seen to run and to be of no use for days, to answer with the address of a bridge inside the guest, and to
stay `installed` while everything works. A reader who sees both sides knows which of them to mistrust.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from harness.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from harness.core.errors import GuestError, HarnessError
from harness.machine.machine import Machine
from harness.vmrun.driver import Vmrun
from harness.vmrun.guest import Guest
from harness.vmrun.parse import ToolsState
from harness.vmrun.paths import GuestPath

# Nothing depends on the answer: it is not worth a longer wait.
_TOOLS_S = 10.0
_SSH_S = 5.0
_ADDRESSES = "ip -o -4 address show scope global"
_INET = re.compile(r"\binet (\d+(?:\.\d+){3})/")


@dataclass(frozen=True)
class ToolsView:
    """A machine as Tools report it.

    Attributes:
        state: None where vmrun did not report it; `why` has the reason then.
        address: None where Tools published none; `why` has the reason where vmrun gave one.
    """

    state: ToolsState | None
    address: IPv4Address | None
    why: str = ""


def ask(vmrun: Vmrun, vmx: Path, clock: Clock = SYSTEM_CLOCK) -> ToolsView:
    """Ask Tools; the view has the reason where they cannot be asked."""
    deadline = Deadline(_TOOLS_S, clock)
    state = None
    try:
        state = vmrun.check_tools_state(vmx, deadline=deadline)
        return ToolsView(state, vmrun.guest_ip_address(vmx, deadline))
    except HarnessError as error:
        return ToolsView(state, None, error.what)


def probe(guest: Guest, clock: Clock = SYSTEM_CLOCK) -> str:
    """Return whether guest operations work, by trying the cheapest one."""
    started = clock.monotonic()
    try:
        guest.directory_exists(GuestPath("/"))
    except HarnessError as error:
        return f"refused: {error.what}"
    return f"answered in {clock.monotonic() - started:.1f} s"


def status_line(name: str, tools: ToolsView, operations: str) -> str:
    """Return a line for a terminal.

    Args:
        name: The machine.
        tools: What Tools report.
        operations: The result of a guest operation; empty where none was tried.
    """
    state = tools.state.value if tools.state else "not reported"
    words = [f"{name:<16} Tools {state:<10} address {tools.address or 'none'}"]
    words += [f"({tools.why})"] if tools.why else []
    words += [f"guest operations: {operations}"] if operations else []
    return "  ".join(words)


def compare(tools: ToolsView, by_ssh: Sequence[str] | None, planned: IPv4Address) -> dict[str, str]:
    """Return the facts for the report: state, address, and whether SSH agrees.

    Args:
        tools: What Tools report.
        by_ssh: The guest's addresses as it reports them over SSH; None where it could not be asked.
        planned: Its address in the lab.
    """
    state = tools.state.value if tools.state else f"not reported: {tools.why}"
    address = str(tools.address) if tools.address else "none" + (f": {tools.why}" if tools.state and tools.why else "")
    return {"Tools state": state, "Tools address": address, "Tools and SSH": _agreement(tools, by_ssh, planned)}


def _agreement(tools: ToolsView, by_ssh: Sequence[str] | None, planned: IPv4Address) -> str:
    if by_ssh is None:
        return "not compared: no SSH connection"
    if tools.state is not ToolsState.RUNNING:
        return "differ: SSH answers, Tools do not"
    if tools.address is None or str(tools.address) not in by_ssh:
        return f"differ: SSH shows {', '.join(by_ssh) or 'no address'}"
    return "agree" if tools.address == planned else f"agree, on another card than that of {planned}"


def observe(machine: Machine) -> None:
    """Journal what Tools report of a machine that was started.

    No verdict depends on it. Never raises.
    """
    if not machine.console.started:
        return
    facts = compare(
        ask(machine.context.vmrun, machine.plan.files.vmx, machine.context.clock),
        _addresses_by_ssh(machine),
        machine.plan.address,
    )
    machine.journal.facts(facts)


def _addresses_by_ssh(machine: Machine) -> list[str] | None:
    try:
        reply = machine.ssh.run(_ADDRESSES, _SSH_S)
    except GuestError:
        return None
    return _INET.findall(reply.stdout) if reply.ok else None
