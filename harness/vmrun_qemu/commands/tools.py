"""checkToolsState, getGuestIPAddress, and the guest's own shutdown: VMware Tools, played by the QEMU guest agent."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping, Sequence
from typing import Any

from harness.vmrun_qemu.base import records as instances
from harness.vmrun_qemu.base.messages import EXIT_TOOLS_UNKNOWN, NO_ADDRESS, Failure, Flags, say, tools_not_running
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.base.wait import wait_for
from harness.vmrun_qemu.client.guest import Guest, GuestRefusedError, GuestSilentError
from harness.vmrun_qemu.commands.power import running
from harness.vmrun_qemu.commands.suspend import last_address

_WAIT_S = 3600.0


def check_tools_state(parameters: Sequence[str], _flags: Flags) -> int:
    """Print `running`, `installed` or `unknown`; only `unknown` has a status of its own.

    `running`: the agent answers. `installed`: the guest has the agent's port open, or the agent answered earlier in
    this run. `unknown`: neither, or the machine is off.
    """
    record = instances.find(parameters[0])
    state = "unknown" if record is None else _state(record)
    say(state)
    return EXIT_TOOLS_UNKNOWN if state == "unknown" else 0


def guest_address(parameters: Sequence[str], _flags: Flags) -> int:
    """Print the guest's IPv4 address; with `-wait`, as soon as it has one. That of a suspended guest is its last one.

    Raises:
        Failure: The machine is off, nobody in it answers, or it has no address.
    """
    vmx = parameters[0]
    if len(parameters) > 1 and parameters[1].lower() != "-wait":
        raise Failure("Invalid argument: " + parameters[1])
    known = last_address(vmx) if instances.find(vmx) is None else ""
    if known:
        say(known)
        return 0
    if len(parameters) == 1:
        say(_address(vmx))
        return 0
    limit = float(os.environ.get("VMRUN_QEMU_WAIT_S", _WAIT_S))
    found = wait_for(lambda: _address_or_none(vmx), limit, interval_s=0.2)
    say(found or _address(vmx))
    return 0


def shut_down_guest(vmx: str, record: Record, mode: str) -> bool:
    """Ask the guest to go down (`powerdown`) or to restart (`reboot`); return whether its agent took the order.

    Without an agent a power-off is asked for by the ACPI power button; a restart has no such button.

    Raises:
        Failure: Nobody could be asked.
    """
    try:
        with Guest(record) as guest:
            guest.tell("guest-shutdown", {"mode": mode})
    except GuestSilentError:
        if mode != "powerdown":
            raise tools_not_running(vmx) from None
        _push_power_button(vmx, record)
        return False
    return True


def _push_power_button(vmx: str, record: Record) -> None:
    from harness.vmrun_qemu.qemu import qmp  # noqa: PLC0415 - 70 ms that are seldom needed

    try:
        qmp.ask(record["qmp"], ("system_powerdown", {}))
    except qmp.QmpError as error:
        raise tools_not_running(vmx) from error


def first_address(interfaces: Sequence[Mapping[str, Any]]) -> str:
    """Return the first IPv4 address that is of use to others, from the agent's list of interfaces; or an empty text."""
    for interface in interfaces:
        for entry in interface.get("ip-addresses") or []:
            if entry.get("ip-address-type") != "ipv4":
                continue
            address = ipaddress.IPv4Address(entry["ip-address"])
            if not (address.is_loopback or address.is_link_local or address.is_unspecified):
                return str(address)
    return ""


def _state(record: Record) -> str:
    try:
        with Guest(record) as guest:
            return guest.state()
    except GuestSilentError:
        return "installed"


def _address(vmx: str) -> str:
    record = running(vmx)
    try:
        with Guest(record) as guest:
            found = first_address(guest.ask("guest-network-get-interfaces"))
    except GuestSilentError as error:
        raise tools_not_running(vmx) from error
    except GuestRefusedError as error:
        raise Failure(NO_ADDRESS) from error
    if not found:
        raise Failure(NO_ADDRESS)
    return found


def _address_or_none(vmx: str) -> str | None:
    """Return the address, or None while there may be one later; a machine that went off ends the wait."""
    running(vmx)
    try:
        return _address(vmx)
    except Failure:
        return None


def present_address(record: Record, *, must_answer: bool) -> str:
    """Return the guest's address if it says one at once, else an empty text.

    Raises:
        Failure: Nobody in the guest answers, and somebody must.
    """
    try:
        return _address(record["vmx"])
    except Failure as failure:
        if must_answer and failure.text != NO_ADDRESS:
            raise
        return ""
