"""VMware Tools, provided by the QEMU guest agent."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from harness.vmrun_qemu.base.messages import NO_ADDRESS, Failure, tools_not_running
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.client.guest import Guest, GuestRefusedError, GuestSilentError
from harness.vmrun_qemu.qemu import qmp
from harness.vmrun_qemu.state.power import running


def shut_down_guest(vmx: str, record: Record, mode: str) -> bool:
    """Ask the guest to power off or restart.

    `mode` is `powerdown` or `reboot`. Return whether the guest's agent accepted. Without an agent the power-off is
    requested by the ACPI power button; a restart has no such button.

    Raises:
        Failure: Neither the agent nor QEMU could be reached.
    """
    try:
        with Guest(record) as guest:
            guest.send("guest-shutdown", {"mode": mode})
    except GuestSilentError:
        if mode != "powerdown":
            raise tools_not_running(vmx) from None
        _push_power_button(vmx, record)
        return False
    return True


def address(vmx: str) -> str:
    """Return the IPv4 address of the guest of a running VM.

    Raises:
        Failure: The VM is not running, its agent does not answer, or the guest has no address.
    """
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


def present_address(record: Record, *, must_answer: bool) -> str:
    """Return the guest's address, or an empty text without one.

    Raises:
        Failure: The agent does not answer, and `must_answer` is true.
    """
    try:
        return address(record["vmx"])
    except Failure as failure:
        if must_answer and failure.text != NO_ADDRESS:
            raise
        return ""


def first_address(interfaces: Sequence[Mapping[str, Any]]) -> str:
    """Return the first IPv4 address that is reachable, or an empty text.

    `interfaces` is the agent's answer to `guest-network-get-interfaces`. Loopback and link-local addresses do not
    count.
    """
    for interface in interfaces:
        for entry in interface.get("ip-addresses") or []:
            if entry.get("ip-address-type") != "ipv4":
                continue
            found = ipaddress.IPv4Address(entry["ip-address"])
            if not (found.is_loopback or found.is_link_local or found.is_unspecified):
                return str(found)
    return ""


def _push_power_button(vmx: str, record: Record) -> None:
    try:
        qmp.ask(record["qmp"], ("system_powerdown", {}))
    except qmp.QmpError as error:
        raise tools_not_running(vmx) from error
