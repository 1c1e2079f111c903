"""list, start, stop, reset."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from harness.system import process_identity as pids
from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base import records as instances
from harness.vmrun_qemu.base.messages import (
    INVALID_PARAMETER,
    NO_DISPLAY,
    TOOLS_TIMEOUT,
    UNKNOWN,
    Failure,
    Flags,
    not_powered_on,
    paused,
    say,
)
from harness.vmrun_qemu.base.records import Record

_START_S = 180.0
_HARD_STOP_S = 60.0
_SOFT_STOP_S = 180.0
_ASK_AGAIN_S = 10.0
_VANISHING_S = 5.0
_ENDING_S = 5.0
_CLEAN_UP_S = 15.0


def list_running(_parameters: Sequence[str], _flags: Flags) -> int:
    """Print how many machines run, and their VMX paths."""
    paths = [record["vmx"] for record in instances.all_running()]
    say("\n".join([f"Total running VMs: {len(paths)}", *paths]))
    return 0


def start(parameters: Sequence[str], _flags: Flags) -> int:
    """Power a machine on, or resume it; return when its QEMU runs. One that runs already is left as it is.

    Raises:
        Failure: It could not be powered on; the reason is in `vmware.log`.
    """
    vmx = home.canonical(parameters[0])
    mode = _word(parameters, {"gui", "nogui"}, "gui")
    now = settled(vmx)
    if now is not None:
        return _already(now)
    if mode == "gui" and not _has_display():
        raise Failure(NO_DISPLAY)
    answer = _supervise(vmx, mode)
    if answer.get("busy") and (now := settled(vmx)) is not None:
        return _already(now)
    if answer:
        raise Failure(str(answer.get("text") or UNKNOWN))
    return 0


def stop(parameters: Sequence[str], _flags: Flags) -> int:
    """Power a machine off: `hard` cuts the power, `soft` asks the guest; return when its locks are gone.

    Raises:
        Failure: It is not running, or the guest did not go down in time.
    """
    record = running(parameters[0])
    if power_word(record, parameters, "powerType.powerOff") == "soft":
        return _stop_soft(parameters[0], record)
    return stop_hard(record)


def reset(parameters: Sequence[str], _flags: Flags) -> int:
    """Restart a machine: `hard` pushes the reset button, `soft` asks the guest.

    Raises:
        Failure: It is not running, or nobody in the guest can be asked.
    """
    from harness.vmrun_qemu.commands import tools  # noqa: PLC0415 - 70 ms that `list` does not pay
    from harness.vmrun_qemu.qemu import qmp  # noqa: PLC0415 - 70 ms that `list` does not pay

    record = running(parameters[0])
    if power_word(record, parameters, "powerType.reset") == "soft":
        tools.shut_down_guest(parameters[0], record, "reboot")
        return 0
    qmp.ask(record["qmp"], ("system_reset", {}))
    return 0


def running(vmx: str) -> Record:
    """Return the record of a machine that runs.

    Raises:
        Failure: It is off, suspended or paused.
    """
    record = powered(vmx)
    if record["phase"] == "paused":
        raise paused(vmx)
    return record


def powered(vmx: str) -> Record:
    """Return the record of a machine that is on; it may be paused.

    Raises:
        Failure: It is off or suspended.
    """
    record = instances.find(vmx)
    if record is None or record["phase"] == "starting":
        raise not_powered_on(vmx)
    return record


def _supervise(vmx: str, mode: str) -> dict[str, object]:
    """Start the machine's supervisor; return its complaint, empty when the machine runs."""
    from harness.vmrun_qemu.base import process  # noqa: PLC0415 - not needed by `list`

    folder = home.vm_dir(vmx)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "supervisor.log").open("ab") as log:
        child = process.start_detached("harness.vmrun_qemu.supervisor.main", [vmx, mode], log, folder)
    said = process.first_line(child, _START_S)
    if said == "ok":
        return {}
    process.end_soon(child, _CLEAN_UP_S)
    try:
        return dict(json.loads(said))
    except ValueError:
        return {"text": f"{UNKNOWN}: see {folder / 'supervisor.log'}"}


def _already(now: Record) -> int:
    """Answer a second `start`: VMware 17 says nothing and exits with 0. The fault `already-running` refuses."""
    if now["phase"] == "paused":
        raise paused(now["vmx"])
    return 0


def settled(vmx: str) -> Record | None:
    """Return the record of a machine that runs, or None for one that is off; not while it changes between the two."""
    from harness.vmrun_qemu.base.wait import wait_for  # noqa: PLC0415 - not needed by `list`

    def settled() -> bool:
        now = instances.find(vmx)
        return now is None or now["phase"] in ("running", "paused")

    wait_for(settled, _START_S)
    return instances.find(vmx)


def stop_hard(record: Record) -> int:
    """Cut the power of a machine that is on.

    Raises:
        Failure: It does not go off.
    """
    from harness.vmrun_qemu.base import process  # noqa: PLC0415 - not needed by `list`
    from harness.vmrun_qemu.qemu import qmp  # noqa: PLC0415 - not needed by `list`

    if not (qmp.quit_qemu(record["qmp"]) and gone(record, _HARD_STOP_S)):
        process.end(record["qemu"])
        if not gone(record, _HARD_STOP_S):
            raise stays_on(record)
    return 0


def stays_on(record: Record) -> Failure:
    """Return the failure of a machine that was told to go off and does not."""
    return Failure(
        f"{UNKNOWN}: the virtual machine does not go off; see {home.vm_dir(record['vmx']) / 'supervisor.log'}"
    )


def _stop_soft(vmx: str, record: Record) -> int:
    from harness.vmrun_qemu.commands import tools  # noqa: PLC0415 - not needed by `list`

    left = float(os.environ.get("VMRUN_QEMU_SOFT_STOP_S", _SOFT_STOP_S))
    while left > 0:
        # A guest that is booting hears neither the agent nor the power button: it is asked again until it does.
        try:
            heard = tools.shut_down_guest(vmx, record, "powerdown")
        except Failure:
            if gone(record, _VANISHING_S):
                return 0
            raise
        patience = left if heard else min(left, _ASK_AGAIN_S)
        if gone(record, patience):
            return 0
        left -= patience
    raise Failure(TOOLS_TIMEOUT)


def gone(record: Record, timeout_s: float) -> bool:
    """Return whether the machine went off, and its supervisor with it, within that many seconds."""
    from harness.vmrun_qemu.base.wait import wait_for  # noqa: PLC0415 - not needed by `list`

    def off() -> bool:
        now = instances.find(record["vmx"])
        return now is None or now["supervisor"] != record["supervisor"]

    if not wait_for(off, timeout_s):
        return False
    # Its last act is behind it: whoever is told that the machine is off finds no process of it.
    wait_for(lambda: not pids.alive(record["supervisor"]), _ENDING_S)
    return True


def _word(parameters: Sequence[str], known: set[str], default: str) -> str:
    word = parameters[1].lower() if len(parameters) > 1 else default
    if word not in known:
        raise Failure(f"{INVALID_PARAMETER}: {parameters[1]}")
    return word


def power_word(record: Record, parameters: Sequence[str], key: str) -> str:
    """Return `hard` or `soft`: what was said, else what the VMX says, else `hard`."""
    if len(parameters) > 1:
        return _word(parameters, {"hard", "soft"}, "hard")
    from harness.vmware.vmx import Vmx, VmxError  # noqa: PLC0415 - not needed by `list`

    try:
        return "soft" if (Vmx.read(record["vmx"]).get(key) or "").lower() == "soft" else "hard"
    except (OSError, VmxError):
        return "hard"


def _has_display() -> bool:
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
