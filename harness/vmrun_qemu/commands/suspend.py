"""suspend, pause, unpause."""

from __future__ import annotations

from collections.abc import Sequence

from harness.vmrun_qemu.base.messages import Flags
from harness.vmrun_qemu.client import supervisor, tools
from harness.vmrun_qemu.commands.power import power_mode
from harness.vmrun_qemu.state.power import gone, powered, running, stays_on

# VMware takes more than five minutes for 8 GB of memory.
_SAVE_S = 1800.0
_OFF_S = 60.0
# Twice the time limit that the supervisor gives QEMU, and a margin.
_PAUSE_S = 660.0


def suspend(parameters: Sequence[str], _flags: Flags) -> int:
    """Save the memory of a VM and power it off.

    `soft` needs Tools, as on VMware, but runs nothing in the guest.

    Raises:
        Failure: The VM is not on, or there is no space.
    """
    vmx = parameters[0]
    record = powered(vmx)
    soft = power_mode(record, parameters, "powerType.suspend") == "soft"
    address = "" if record["phase"] == "paused" else tools.present_address(record, must_answer=soft)
    supervisor.request(record, "suspend", _SAVE_S, address=address)
    if not gone(record, _OFF_S):
        raise stays_on(record)
    return 0


def pause(parameters: Sequence[str], _flags: Flags) -> int:
    """Stop the processors of a VM; it stays in the list.

    Raises:
        Failure: It is not running.
    """
    supervisor.request(running(parameters[0]), "pause", _PAUSE_S)
    return 0


def unpause(parameters: Sequence[str], _flags: Flags) -> int:
    """Continue a paused VM; one that runs stays as it is.

    Raises:
        Failure: It is not on.
    """
    supervisor.request(powered(parameters[0]), "unpause", _PAUSE_S)
    return 0
