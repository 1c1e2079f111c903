"""The supervisor process of one VM, from power-on to power-off.

Started by `vmrun-qemu start`; reports how it started (see `base.daemon`), and is a daemon from then on. It holds the
VM's lock for as long as the VM runs, so there is never a second one, and the kernel releases it when the process ends.

The VMX is read once, at power-on. Edits of the file while the VM runs are lost: at power-off it is written from that
copy and the changes of the run, as VMware does.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from harness.vmrun_qemu.base import home, process, records
from harness.vmrun_qemu.base.daemon import StartReport, report_start
from harness.vmrun_qemu.base.messages import IN_USE, Failure, PowerOnFailure, of_os_error
from harness.vmrun_qemu.state import recovery
from harness.vmrun_qemu.supervisor.host_watch import HostWatch
from harness.vmrun_qemu.supervisor.power_on import power_on
from harness.vmrun_qemu.supervisor.running_vm import RunningVm
from harness.vmrun_qemu.vmfiles.vmware_log import VmLog
from harness.vmware.vmx import Vmx, VmxError

# A VM that is powering off holds its lock for a moment after it has left the list.
_LOCK_S = 5.0


def main() -> int:
    """Run the VM of a VMX.

    The first argument is the VMX, the second `gui` for a window or `nogui`.
    """
    vmx_path, mode = sys.argv[1], sys.argv[2]
    folder = home.vm_dir(vmx_path)
    try:
        with FileLock(folder / "lock", timeout=_LOCK_S):
            return _supervise(vmx_path, gui=mode == "gui")
    except Timeout:
        report_start(StartReport(IN_USE, busy=True))
        return 1


def _supervise(vmx_path: str, *, gui: bool) -> int:
    log = VmLog(Path(vmx_path).parent)
    leftover = records.load(home.vm_dir(vmx_path))
    if leftover is not None:
        recovery.remove_traces(leftover)
    try:
        log.begin()
        vm = power_on(vmx_path, log, gui=gui)
    except PowerOnFailure as failure:
        log.post("Error", failure.reason, failure.message_id)
        report_start(StartReport(failure.text))
        return 1
    except Failure as failure:
        log.post("Error", failure.text)
        report_start(StartReport(failure.text))
        return 1
    except OSError as error:
        log.post("Error", str(error))
        report_start(StartReport(of_os_error(error)))
        return 1
    _install_signal_handlers(vm.child.terminate)
    report_start(StartReport())
    HostWatch(vm).start()
    code = vm.child.wait()
    log.say(f"Vix: the virtual machine is powered off; QEMU exited with {code}")
    if code not in (0, -signal.SIGTERM):
        log.post("Error", f"QEMU ended with {code}: " + process.tail(vm.folder / "qemu.log"))
    _power_off(vm, log)
    return 0


def _install_signal_handlers(stop: Callable[[], None]) -> None:
    """Power off on SIGTERM and SIGINT; ignore SIGHUP."""
    signal.signal(signal.SIGTERM, lambda *_: stop())
    signal.signal(signal.SIGINT, lambda *_: stop())
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _power_off(vm: RunningVm, log: VmLog) -> None:
    with vm.busy:
        vm.enter("stopping")
        if vm.service is not None:
            vm.service.close()
        _restore(vm.path, vm.vmx, log)
        recovery.remove_traces(vm.record)


def _restore(path: Path, vmx: Vmx, log: VmLog) -> None:
    """Write the VMX from the copy of power-on; log a failure."""
    vmx.set("cleanShutdown", value=True)
    try:
        vmx.write(path)
    except (OSError, VmxError) as error:
        log.post("Error", f"The configuration file was not written at power-off: {error}")


if __name__ == "__main__":
    sys.exit(main())
