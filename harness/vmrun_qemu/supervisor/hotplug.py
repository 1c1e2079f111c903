"""CD drives, network cables and serial ports of a machine that runs, connected and disconnected until its power-off.

The guest sees it at once. The VMX says `startConnected` for the next power-on, and is not changed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from harness.vmrun_qemu.base.messages import CANCELED, NO_DEVICE, NOT_FOUND, NOT_SUPPORTED, Failure
from harness.vmrun_qemu.base.wait import wait_for
from harness.vmrun_qemu.qemu import qmp
from harness.vmrun_qemu.supervisor.running_vm import Running
from harness.vmrun_qemu.vmfiles import devices
from harness.vmrun_qemu.vmfiles.devices import Drive, Nic, Serial
from harness.vmware.vmx import Vmx

# udev looks every two seconds whether somebody wants the CD out.
_GRANT_S = 10.0


def plug(run: Running, name: str, *, connected: bool) -> None:
    """Have the device `name` of the VMX connected, or not.

    Raises:
        Failure: There is no such device, it cannot be taken out, or what it is to be connected with is not there.
    """
    wanted = name.lower()
    for drive in run.machine.drives:
        if drive.name == wanted:
            return _medium(run, drive, connected=connected)
    for nic in run.machine.nics:
        if nic.id == wanted:
            return _cable(run, nic, connected=connected)
    for port in run.machine.serials:
        if port.name == wanted:
            return _line(run, port, connected=connected)
    raise Failure(NO_DEVICE)


def _medium(run: Running, drive: Drive, *, connected: bool) -> None:
    if not drive.cdrom:
        raise Failure(NOT_SUPPORTED)
    tray = _tray(run, drive)
    if connected and not (tray.loaded and tray.closed):
        _insert(run, drive)
    elif tray.loaded and not connected:
        _eject(run, drive)


def _insert(run: Running, drive: Drive) -> None:
    drives = devices.drives(_wanted(run, drive.name), run.path.parent)
    (path,) = [other.path for other in drives if other.name == drive.name]
    if path is None or not path.is_file():
        raise Failure(NOT_FOUND)
    medium = {"filename": str(path), "format": "raw", "read-only-mode": "read-only"}
    qmp.ask(run.record["qmp"], ("blockdev-change-medium", {"id": drive.id, **medium}))


def _eject(run: Running, drive: Drive) -> None:
    """Take the CD out. A guest that has locked the drive is asked for it first, and most grant it (Linux: udev does).

    Where it does not, VMware asks; `msg.autoAnswer` has it done all the same.

    Raises:
        Failure: The drive is locked, and nobody answers the question.
    """
    address = run.record["qmp"]
    if _open_unlocked(address, drive):
        return
    if wait_for(lambda: not _tray(run, drive).closed, _GRANT_S):
        qmp.ask(address, ("blockdev-remove-medium", {"id": drive.id}))
        return
    question = f"The guest has locked the CD-ROM drive {drive.name} and may be using it."
    if not run.vmx.flag("msg.autoAnswer"):
        run.log.post("Question", f"{question} Disconnect anyway?")
        raise Failure(CANCELED)
    run.log.post("Warning", f"{question} It is disconnected anyway.")
    qmp.ask(address, ("eject", {"id": drive.id, "force": True}))


def _open_unlocked(address: str, drive: Drive) -> bool:
    """Take the CD out if the guest has not locked the drive; return False if it has: it now knows of the wish."""
    try:
        qmp.ask(address, ("eject", {"id": drive.id, "force": False}))
    except qmp.QmpError as error:
        if "locked" in str(error):
            return False
        raise
    return True


class Tray(NamedTuple):
    """A CD drive: whether there is a CD in it, and whether its tray is closed."""

    loaded: bool
    closed: bool


def _tray(run: Running, drive: Drive) -> Tray:
    found = qmp.ask(run.record["qmp"], ("query-block", {}))[0]
    (block,) = [block for block in found if block.get("qdev", "").rpartition("/")[2] == drive.id]
    return Tray("inserted" in block, not block.get("tray_open", False))


def _cable(run: Running, nic: Nic, *, connected: bool) -> None:
    if connected and not nic.vmnet:
        raise Failure(NOT_SUPPORTED)
    qmp.ask(run.record["qmp"], ("set_link", {"name": nic.id, "up": connected}))


def _line(run: Running, port: Serial, *, connected: bool) -> None:
    backend: dict[str, Any] = {"type": "null", "data": {}}
    if connected:
        ports = devices.serials(_wanted(run, port.name), run.path.parent)
        (path,) = [other.path for other in ports if other.index == port.index]
        if path is None:
            raise Failure(NOT_SUPPORTED)
        backend = {"type": "file", "data": {"out": str(path), "append": True}}
    qmp.ask(run.record["qmp"], ("chardev-change", {"id": port.name, "backend": backend}))


def _wanted(run: Running, name: str) -> Vmx:
    """Return the configuration with that device connected, and with what was written about it since power-on."""
    vmx = run.vmx.copy()
    for key, value in run.variables.items():
        if key.startswith(f"{name}."):
            vmx.set(key, value)
    vmx.set(f"{name}.startConnected", value=True)
    return vmx
