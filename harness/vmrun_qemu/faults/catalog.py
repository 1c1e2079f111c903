"""The catalog of faults, seen on or reported of VMware's `vmrun`.

`injection` has the grammar of `VMRUN_QEMU_FAULTS`.
"""

from __future__ import annotations

from pathlib import Path

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import (
    ALREADY_RUNNING,
    CANCELED,
    IN_USE,
    NO_ADDRESS,
    UNKNOWN,
    Failure,
    print_line,
    tools_not_running,
)
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.base.wait import wait_for
from harness.vmrun_qemu.faults.injection import Call, Fault
from harness.vmrun_qemu.state import inventory
from harness.vmrun_qemu.state.power import running
from harness.vmrun_qemu.state.power_off import stop_hard
from harness.vmrun_qemu.verbs import VERBS
from harness.vmrun_qemu.vmfiles.vmware_log import VmLog

# Practically for ever: the caller of a command that hangs has to end it.
_FOR_EVER_S = 7 * 86400.0
# The first address of a container bridge, which Tools reported as the guest's.
_BRIDGE = "172.17.0.1"


def _prints(text: str, status: int = 0) -> Fault:
    """Return a fault of `getGuestIPAddress` that prints one line."""

    def do(_call: Call) -> int:
        print_line(text)
        return status

    return Fault(frozenset({"getGuestIPAddress"}), do, f"prints {text!r}, exit {status}")


def _fails(text: str) -> Fault:
    def do(_call: Call) -> int:
        raise Failure(text)

    return Fault(frozenset(), do, f"fails: {text}")


def _exit_zero_error(_call: Call) -> int:
    print_line(f"Error: {UNKNOWN}")
    return 0


def _hang(_call: Call) -> int:
    wait_for(lambda: None, _FOR_EVER_S)
    return 0


def _list_empty(_call: Call) -> int:
    print_line("Total running VMs: 0")
    return 0


def _start_canceled(call: Call) -> int:
    log = VmLog(Path(home.canonical(call.vmx)).parent)
    log.begin()
    log.post("Error", "VMRUN_QEMU_FAULTS: start-canceled: the virtual machine is not powered on.")
    raise Failure(CANCELED)


def _already_running(call: Call) -> int:
    if inventory.find(call.vmx) is not None:
        raise Failure(ALREADY_RUNNING)
    return call.act()


def _soft_stop_hangs(call: Call) -> int:
    return _hang(call) if "soft" in [word.lower() for word in call.parameters[1:]] else call.act()


def _reset_off(call: Call) -> int:
    return stop_hard(running(call.vmx))


def _revert_in_use(call: Call) -> int:
    if inventory.find(call.vmx) is not None:
        raise Failure(IN_USE)
    return call.act()


def _tools_installed(_call: Call) -> int:
    print_line("installed")
    return 0


def _wedged(call: Call) -> int:
    """Fail as a guest that does not answer after a resume.

    A reset ends that. Programs in the guest never end.
    """
    record = inventory.find(call.vmx)
    if record is None or not record["resumed"] or _was_reset(record):
        return call.act()
    if call.verb == "reset":
        status = call.act()
        home.write_json(_reset_file(record), record["supervisor"])
        return status
    if call.verb == "checkToolsState":
        return _tools_installed(call)
    if call.verb in ("runProgramInGuest", "runScriptInGuest"):
        return _hang(call)
    raise tools_not_running(call.vmx)


def _was_reset(record: Record) -> bool:
    return bool(home.read_json(_reset_file(record)) == record["supervisor"])


def _reset_file(record: Record) -> Path:
    return home.vm_dir(record["vmx"]) / "reset.json"


_IN_GUEST = frozenset(verb for verb in VERBS if verb.endswith("InGuest") or verb.startswith("CopyFile"))

FAULTS: dict[str, Fault] = {
    "exit-zero-error": Fault(frozenset(), _exit_zero_error, f"does nothing, prints Error: {UNKNOWN}, and exits with 0"),
    "unknown-error": _fails(UNKNOWN),
    "file-in-use": _fails(IN_USE),
    "hang": Fault(frozenset(), _hang, "does nothing and never ends"),
    "list-empty": Fault(frozenset({"list"}), _list_empty, "reports no running VM"),
    "start-canceled": Fault(
        frozenset({"start"}), _start_canceled, f"fails: {CANCELED}; the reason is in vmware.log only"
    ),
    "already-running": Fault(frozenset({"start"}), _already_running, "fails when the VM runs"),
    "soft-stop-hangs": Fault(frozenset({"stop"}), _soft_stop_hangs, "never ends with `soft`"),
    "reset-off": Fault(frozenset({"reset"}), _reset_off, "leaves the VM off"),
    "revert-in-use": Fault(frozenset({"revertToSnapshot"}), _revert_in_use, "fails when the VM runs"),
    "tools-installed": Fault(frozenset({"checkToolsState"}), _tools_installed, "always prints installed"),
    "address-unknown": _prints("unknown"),
    "address-empty": _prints(""),
    "address-none": _prints(f"Error: {NO_ADDRESS}", 255),
    "address-of-bridge": _prints(_BRIDGE),
    "wedged-after-resume": Fault(
        _IN_GUEST | {"checkToolsState", "getGuestIPAddress", "reset"},
        _wedged,
        "the guest does not answer after a resume, until it is reset",
    ),
}
