"""Hot-plug of CDs, network cables and serial ports until power-off.

The guest sees the change at once. The VMX keeps `startConnected` for the next power-on, and is not changed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from harness.vmrun_qemu.base.messages import CANCELED, NO_DEVICE, NOT_FOUND, NOT_SUPPORTED, Failure
from harness.vmrun_qemu.base.wait import wait_for
from harness.vmrun_qemu.qemu import qmp
from harness.vmrun_qemu.supervisor.running_vm import RunningVm
from harness.vmrun_qemu.vmfiles import devices
from harness.vmrun_qemu.vmfiles.devices import Drive, Nic, Serial
from harness.vmware.vmx import Vmx

# udev looks every two seconds whether an eject was requested.
_GRANT_S = 10.0


def plug(vm: RunningVm, name: str, *, connected: bool, grant_s: float = _GRANT_S) -> None:
    """Connect or disconnect the device `name` of the VMX.

    A guest that has locked its CD drive has `grant_s` seconds to release it.

    Raises:
        Failure: There is no such device, it cannot be disconnected, or its image or network does not exist.
    """
    wanted = name.lower()
    for drive in vm.machine.drives:
        if drive.name == wanted:
            return _plug_cd(vm, drive, connected=connected, grant_s=grant_s)
    for nic in vm.machine.nics:
        if nic.id == wanted:
            return _plug_nic(vm, nic, connected=connected)
    for port in vm.machine.serials:
        if port.name == wanted:
            return _plug_serial(vm, port, connected=connected)
    raise Failure(NO_DEVICE)


def _plug_cd(vm: RunningVm, drive: Drive, *, connected: bool, grant_s: float) -> None:
    if not drive.cdrom:
        raise Failure(NOT_SUPPORTED)
    tray = _tray(vm, drive)
    if connected and not (tray.loaded and tray.closed):
        _insert(vm, drive)
    elif tray.loaded and not connected:
        _eject(vm, drive, grant_s)


def _insert(vm: RunningVm, drive: Drive) -> None:
    drives = devices.drives(_connected_vmx(vm, drive.name), vm.path.parent)
    (path,) = [other.path for other in drives if other.name == drive.name]
    if path is None or not path.is_file():
        raise Failure(NOT_FOUND)
    medium = {"filename": str(path), "format": "raw", "read-only-mode": "read-only"}
    vm.ask(("blockdev-change-medium", {"id": drive.id, **medium}))


def _eject(vm: RunningVm, drive: Drive, grant_s: float) -> None:
    """Eject the CD.

    A guest that has locked the drive is asked to release it first, and most do (Linux: udev does). If it does not,
    VMware asks the user; with `msg.autoAnswer` the CD is ejected without a question.

    Raises:
        Failure: The drive is locked, and no user can answer the question.
    """
    if _open_unlocked(vm, drive):
        return
    if wait_for(lambda: not _tray(vm, drive).closed, grant_s):
        vm.ask(("blockdev-remove-medium", {"id": drive.id}))
        return
    question = f"The guest has locked the CD-ROM drive {drive.name} and may be using it."
    if not vm.vmx.flag("msg.autoAnswer"):
        vm.log.post("Question", f"{question} Disconnect anyway?")
        raise Failure(CANCELED)
    vm.log.post("Warning", f"{question} It is disconnected anyway.")
    vm.ask(("eject", {"id": drive.id, "force": True}))


def _open_unlocked(vm: RunningVm, drive: Drive) -> bool:
    """Eject the CD and return True; False if the drive is locked.

    A guest that has locked it receives the request to eject.
    """
    try:
        vm.ask(("eject", {"id": drive.id, "force": False}))
    except qmp.QmpError as error:
        if "locked" in str(error):
            return False
        raise
    return True


class Tray(NamedTuple):
    """State of a CD drive: CD inserted, tray closed."""

    loaded: bool
    closed: bool


def _tray(vm: RunningVm, drive: Drive) -> Tray:
    found = vm.ask(("query-block", {}))[0]
    (block,) = [block for block in found if block.get("qdev", "").rpartition("/")[2] == drive.id]
    return Tray("inserted" in block, not block.get("tray_open", False))


def _plug_nic(vm: RunningVm, nic: Nic, *, connected: bool) -> None:
    if connected and not nic.vmnet:
        raise Failure(NOT_SUPPORTED)
    vm.ask(("set_link", {"name": nic.id, "up": connected}))


def _plug_serial(vm: RunningVm, port: Serial, *, connected: bool) -> None:
    backend: dict[str, Any] = {"type": "null", "data": {}}
    if connected:
        ports = devices.serials(_connected_vmx(vm, port.name), vm.path.parent)
        (path,) = [other.path for other in ports if other.index == port.index]
        if path is None:
            raise Failure(NOT_SUPPORTED)
        backend = {"type": "file", "data": {"out": str(path), "append": True}}
    vm.ask(("chardev-change", {"id": port.name, "backend": backend}))


def _connected_vmx(vm: RunningVm, name: str) -> Vmx:
    """Return the configuration with that device connected.

    It includes what `writeVariable` wrote about the device since power-on.
    """
    vmx = vm.vmx.copy()
    for key, value in vm.variables.items():
        if key.startswith(f"{name}."):
            vmx.set(key, value)
    vmx.set(f"{name}.startConnected", value=True)
    return vmx
