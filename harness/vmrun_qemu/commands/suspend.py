"""suspend, pause, unpause."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import Flags
from harness.vmrun_qemu.client import supervisor as control
from harness.vmrun_qemu.commands.power import gone, power_word, powered, running, stays_on

# 8 GB of memory take VMware more than five minutes.
SAVE_S = 1800.0
_OFF_S = 60.0
# Longer than the supervisor gives QEMU for it, twice.
_STAND_S = 660.0


def suspend(parameters: Sequence[str], _flags: Flags) -> int:
    """Save a machine's memory and power it off; `soft` needs Tools, as VMware does, but runs nothing in the guest.

    Raises:
        Failure: It is not on, or there is no room.
    """
    from harness.vmrun_qemu.commands import tools  # noqa: PLC0415 - tools asks this module about suspended machines

    vmx = parameters[0]
    record = powered(vmx)
    soft = power_word(record, parameters, "powerType.suspend") == "soft"
    address = "" if record["phase"] == "paused" else tools.present_address(record, must_answer=soft)
    control.request(record, "suspend", SAVE_S, address=address)
    if not gone(record, _OFF_S):
        raise stays_on(record)
    return 0


def pause(parameters: Sequence[str], _flags: Flags) -> int:
    """Have a machine stand still in memory; it stays in the list.

    Raises:
        Failure: It is not running.
    """
    control.request(running(parameters[0]), "pause", _STAND_S)
    return 0


def unpause(parameters: Sequence[str], _flags: Flags) -> int:
    """Have a paused machine go on; one that runs is left alone.

    Raises:
        Failure: It is not on.
    """
    control.request(powered(parameters[0]), "unpause", _STAND_S)
    return 0


def last_address(vmx: str) -> str:
    """Return the address that a suspended guest had; empty when it is not suspended, or had none."""
    from harness.vmrun_qemu.vmfiles import devices  # noqa: PLC0415 - only for a machine that is not on
    from harness.vmrun_qemu.vmfiles import vmss as statefile  # noqa: PLC0415 - only for a machine that is not on
    from harness.vmware.vmx import Vmx, VmxError  # noqa: PLC0415 - only for a machine that is not on

    path = Path(home.canonical(vmx))
    try:
        name = Vmx.read(path).get("checkpoint.vmState") or ""
        return statefile.read(devices.resolve(path.parent, name)).address if name else ""
    except (OSError, VmxError, statefile.StateError):
        return ""
