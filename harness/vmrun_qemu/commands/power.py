"""start, stop, reset."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from harness.vmrun_qemu.base import daemon, home
from harness.vmrun_qemu.base.daemon import StartReport
from harness.vmrun_qemu.base.messages import INVALID_PARAMETER, NO_DISPLAY, TOOLS_TIMEOUT, Failure, Flags, paused
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.client import tools
from harness.vmrun_qemu.qemu import qmp
from harness.vmrun_qemu.state.power import gone, running, settled
from harness.vmrun_qemu.state.power_off import stop_hard
from harness.vmware.vmx import Vmx, VmxError

_START_S = 180.0
_CLEAN_UP_S = 15.0
_SOFT_STOP_S = 180.0
_RETRY_S = 10.0
_VANISHING_S = 5.0


def start(parameters: Sequence[str], _flags: Flags) -> int:
    """Power a VM on, or resume it; return when its QEMU runs.

    A VM that is on stays as it is.

    Raises:
        Failure: It could not be powered on; the reason is in `vmware.log`.
    """
    vmx = home.canonical(parameters[0])
    mode = _choice(parameters, {"gui", "nogui"}, "gui")
    now = settled(vmx)
    if now is not None:
        return _already_on(now)
    if mode == "gui" and not _has_display():
        raise Failure(NO_DISPLAY)
    report = _start_supervisor(vmx, mode)
    if report.busy and (now := settled(vmx)) is not None:
        return _already_on(now)
    if report.problem:
        raise Failure(report.problem)
    return 0


def stop(parameters: Sequence[str], _flags: Flags) -> int:
    """Power a VM off; return when its locks are gone.

    `hard` cuts the power, `soft` asks the guest.

    Raises:
        Failure: It is not running, or the guest did not shut down in time.
    """
    record = running(parameters[0])
    if power_mode(record, parameters, "powerType.powerOff") == "soft":
        return _stop_soft(parameters[0], record)
    return stop_hard(record)


def reset(parameters: Sequence[str], _flags: Flags) -> int:
    """Restart a VM: `hard` pushes the reset button, `soft` asks the guest.

    Raises:
        Failure: It is not running, or its guest agent does not answer.
    """
    record = running(parameters[0])
    if power_mode(record, parameters, "powerType.reset") == "soft":
        tools.shut_down_guest(parameters[0], record, "reboot")
        return 0
    qmp.ask(record["qmp"], ("system_reset", {}))
    return 0


def power_mode(record: Record, parameters: Sequence[str], key: str) -> str:
    """Return `hard` or `soft`, from the parameter or else the VMX."""
    if len(parameters) > 1:
        return _choice(parameters, {"hard", "soft"}, "hard")
    try:
        return "soft" if (Vmx.read(record["vmx"]).get(key) or "").lower() == "soft" else "hard"
    except (OSError, VmxError):
        return "hard"


def _start_supervisor(vmx: str, mode: str) -> StartReport:
    folder = home.vm_dir(vmx)
    folder.mkdir(parents=True, exist_ok=True)
    module = "harness.vmrun_qemu.supervisor.main"
    return daemon.start(module, [vmx, mode], folder / "supervisor.log", timeout_s=_START_S, grace_s=_CLEAN_UP_S)


def _already_on(now: Record) -> int:
    """Return the status of a second `start`.

    VMware 17 prints nothing and exits with 0. The fault `already-running` refuses.
    """
    if now["phase"] == "paused":
        raise paused(now["vmx"])
    return 0


def _stop_soft(vmx: str, record: Record) -> int:
    left = float(os.environ.get("VMRUN_QEMU_SOFT_STOP_S", _SOFT_STOP_S))
    while left > 0:
        # A guest that is booting reacts neither to the agent nor to the power button: retry until it does.
        try:
            accepted = tools.shut_down_guest(vmx, record, "powerdown")
        except Failure:
            if gone(record, _VANISHING_S):
                return 0
            raise
        patience = left if accepted else min(left, _RETRY_S)
        if gone(record, patience):
            return 0
        left -= patience
    raise Failure(TOOLS_TIMEOUT)


def _choice(parameters: Sequence[str], known: set[str], default: str) -> str:
    choice = parameters[1].lower() if len(parameters) > 1 else default
    if choice not in known:
        raise Failure(f"{INVALID_PARAMETER}: {parameters[1]}")
    return choice


def _has_display() -> bool:
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
