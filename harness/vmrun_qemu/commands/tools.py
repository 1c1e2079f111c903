"""checkToolsState and getGuestIPAddress; the QEMU guest agent stands in for VMware Tools."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import EXIT_TOOLS_UNKNOWN, Failure, Flags, print_line
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.base.wait import wait_for
from harness.vmrun_qemu.client.guest import Guest, GuestSilentError
from harness.vmrun_qemu.client.tools import address
from harness.vmrun_qemu.state import inventory
from harness.vmrun_qemu.state.power import running

_WAIT_S = 3600.0


def check_tools_state(parameters: Sequence[str], _flags: Flags) -> int:
    """Print the state of Tools.

    `running`: the agent answers. `installed`: the guest has the agent's port open, or the agent answered earlier in
    this run. `unknown`: neither, or the VM is off; only this state has an exit status of its own.
    """
    record = inventory.find(parameters[0])
    state = "unknown" if record is None else _state(record)
    print_line(state)
    return EXIT_TOOLS_UNKNOWN if state == "unknown" else 0


def guest_address(parameters: Sequence[str], _flags: Flags) -> int:
    """Print the guest's IPv4 address; `-wait` waits for one.

    For a suspended guest it is the last known one.

    Raises:
        Failure: The VM is off, its agent does not answer, or the guest has no address.
    """
    vmx = parameters[0]
    if len(parameters) > 1 and parameters[1].lower() != "-wait":
        raise Failure("Invalid argument: " + parameters[1])
    known = _last_address(vmx) if inventory.find(vmx) is None else ""
    if known:
        print_line(known)
        return 0
    if len(parameters) == 1:
        print_line(address(vmx))
        return 0
    limit = float(os.environ.get("VMRUN_QEMU_WAIT_S", _WAIT_S))
    found = wait_for(lambda: _address_or_none(vmx), limit, interval_s=0.2)
    print_line(found or address(vmx))
    return 0


def _state(record: Record) -> str:
    try:
        with Guest(record) as guest:
            return guest.state()
    except GuestSilentError:
        return "installed"


def _last_address(vmx: str) -> str:
    from harness.vmrun_qemu.vmfiles.vmss import last_address  # noqa: PLC0415 - 35 ms; a VM that is on goes without

    return last_address(Path(home.canonical(vmx)))


def _address_or_none(vmx: str) -> str | None:
    """Return the address, or None while there may be one later.

    Raises:
        Failure: The VM is not running any more.
    """
    running(vmx)
    try:
        return address(vmx)
    except Failure:
        return None
