"""What VMware Tools say of a machine, beside what the guest says over SSH: shown in the report, never a condition.

Tools were seen to run and to be of no use for days, to answer with the address of a bridge inside the guest, and to
stay `installed` while everything works. A reader who knows both sides can tell which of them to mistrust.
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
from harness.vmrun import Guest, GuestPath, ToolsState, Vmrun

# What is not answered by then is not worth waiting for: nothing depends on it.
_TOOLS_S = 10.0
_SSH_S = 5.0
_ADDRESSES = "ip -o -4 address show scope global"
_INET = re.compile(r"\binet (\d+(?:\.\d+){3})/")


@dataclass(frozen=True)
class ToolsView:
    """One machine, as Tools see it.

    Attributes:
        state: None where vmrun did not say; `why` has the reason then.
        address: None where Tools published none; `why` has the reason where vmrun gave one.
    """

    state: ToolsState | None
    address: IPv4Address | None
    why: str = ""


def ask(vmrun: Vmrun, vmx: Path, clock: Clock = SYSTEM_CLOCK) -> ToolsView:
    """Return what Tools say of a machine now; what cannot be asked is None with its reason."""
    box = Deadline(_TOOLS_S, clock)
    state = None
    try:
        state = vmrun.check_tools_state(vmx, deadline=box)
        return ToolsView(state, vmrun.guest_ip_address(vmx, box))
    except HarnessError as error:
        return ToolsView(state, None, error.what)


def probe(guest: Guest, clock: Clock = SYSTEM_CLOCK) -> str:
    """Return whether a guest operation works, by doing the cheapest one: nothing else tells for certain."""
    started = clock.monotonic()
    try:
        guest.directory_exists(GuestPath("/"))
    except HarnessError as error:
        return f"refused: {error.what}"
    return f"answered in {clock.monotonic() - started:.1f} s"


def status_line(name: str, tools: ToolsView, operations: str) -> str:
    """Return a line for a terminal; `operations` says what became of a guest operation, or nothing."""
    state = tools.state.value if tools.state else "not told"
    words = [f"{name:<16} Tools {state:<10} address {tools.address or 'none'}"]
    words += [f"({tools.why})"] if tools.why else []
    words += [f"guest operations: {operations}"] if operations else []
    return "  ".join(words)


def compare(tools: ToolsView, by_ssh: Sequence[str] | None, planned: IPv4Address) -> dict[str, str]:
    """Return the facts of the report: the state, the address, and how they go with what SSH showed.

    Args:
        tools: What Tools say.
        by_ssh: The guest's addresses by its own word over SSH, or None where it could not be asked.
        planned: Its address in the lab.
    """
    state = tools.state.value if tools.state else f"not told: {tools.why}"
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
    """Have what Tools say of a machine that was started in its facts; takes no part in any verdict, never raises."""
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
        said = machine.ssh.run(_ADDRESSES, _SSH_S)
    except GuestError:
        return None
    return _INET.findall(said.stdout) if said.ok else None
