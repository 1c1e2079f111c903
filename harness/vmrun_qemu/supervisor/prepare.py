"""Prepare a power-on: checks, ids, endpoints and QEMU arguments from a VMX."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from harness.system.process_identity import Identity
from harness.vmrun_qemu.base import endpoint, home, process, records
from harness.vmrun_qemu.base.endpoint import Endpoint
from harness.vmrun_qemu.base.messages import PowerOnFailure, unreadable
from harness.vmrun_qemu.base.process import Child
from harness.vmrun_qemu.base.records import Plug
from harness.vmrun_qemu.disks import chains
from harness.vmrun_qemu.disks.qemu_img import DiskError
from harness.vmrun_qemu.qemu import accelerator, arguments, locate
from harness.vmrun_qemu.qemu.accelerator import Accelerator
from harness.vmrun_qemu.qemu.locate import Qemu
from harness.vmrun_qemu.vmfiles import devices, identifiers, requirements, vmss
from harness.vmrun_qemu.vmfiles.vmss import State, StateError
from harness.vmrun_qemu.vmfiles.vmware_log import VmLog
from harness.vmware.vmx import Vmx, VmxError


@dataclass(frozen=True)
class Prepared:
    """A VM that is ready to be started."""

    vmx_path: str
    vmx: Vmx
    machine: arguments.Machine
    folder: Path
    argv: list[str]
    endpoints: dict[str, Endpoint]
    socket_dir: str
    accelerator: Accelerator
    state: Path | None
    saved: State | None

    @property
    def locked_files(self) -> list[Path]:
        """The files that get a `.lck` directory: the VMX and the disks."""
        return [Path(self.vmx_path), *(drive.path for drive in self.machine.drives if drive.path and not drive.cdrom)]

    @property
    def unplugged(self) -> list[str]:
        """The network cards that are disconnected at power-on."""
        return [nic.id for nic in self.machine.nics if nic.vmnet and not nic.connected]

    def record(self, supervisor: Identity) -> records.Record:
        """Return the record of the VM before it has a process."""
        plugs: list[Plug] = [
            {"nic": nic.id, "vmnet": nic.vmnet, "endpoint": self.endpoints[nic.id].text}
            for nic in self.machine.nics
            if nic.vmnet
        ]
        return {
            "vmx": home.canonical(self.vmx_path),
            "phase": "starting",
            "resumed": self.state is not None,
            "supervisor": supervisor,
            "qemu": {"pid": 0, "created": 0.0},
            "qmp": self.endpoints["qmp"].text,
            "service": self.endpoints["service"].text,
            "socket_dir": self.socket_dir,
            "plugs": plugs,
            "locks": [],
            "accelerator": self.accelerator.name,
        }


def prepare(vmx_path: str, log: VmLog, *, gui: bool) -> Prepared:
    """Check a VMX and prepare ids, addresses and arguments.

    Nothing is started or written yet.

    Raises:
        Failure: The VMX cannot be read, VMware would refuse it, it needs an unsupported device, or names missing files.
    """
    path = Path(vmx_path)
    try:
        vmx = Vmx.read(path)
    except (VmxError, OSError) as error:
        raise PowerOnFailure(f"{path.name}: {error}", unreadable(vmx_path).text) from error
    requirements.check_power_on(vmx)
    identifiers.power_on_changes(vmx, home.canonical(path))
    state, saved = _saved_state(vmx, path.parent)
    machine = arguments.machine_of(saved.devices(vmx) if saved else vmx, path.parent)
    machine = _with_files(machine, vmx, log)
    _warn(machine, log)
    program, version = _usable_qemu()
    scsi = arguments.scsi_devices(vmx)
    chosen = accelerator.choose(program)
    log.say(f"Accelerator: {chosen.name}, because {chosen.why}")
    socket_dir = endpoint.new_socket_dir()
    names = ["qmp", "agent", "service", *(nic.id for nic in machine.nics)]
    endpoints = {name: endpoint.new_endpoint(socket_dir, name) for name in names}
    window = _window(program, log) if gui else "none"
    wiring = arguments.Wiring(endpoints, chosen.arguments(version, machine.cpus), window)
    argv = [str(program.binary), *(["-L", str(program.data)] if program.data else [])]
    argv += arguments.arguments(machine, wiring, scsi)
    argv += ["-S", "-incoming", "defer"] if state else []
    folder = home.vm_dir(vmx_path)
    return Prepared(vmx_path, vmx, machine, folder, argv, endpoints, socket_dir, chosen, state, saved)


def launch(prepared: Prepared, log: VmLog) -> Child:
    """Start QEMU and return the process.

    Raises:
        PowerOnFailure: It cannot be started.
    """
    log.say("PowerOn: " + shlex.join(prepared.argv))
    with (prepared.folder / "qemu.log").open("wb") as output:
        try:
            return process.start_bound(prepared.argv, output, prepared.folder)
        except OSError as error:
            raise PowerOnFailure(f"cannot start {prepared.argv[0]}: {error}") from error


def _with_files(machine: arguments.Machine, vmx: Vmx, log: VmLog) -> arguments.Machine:
    """Return the VM with the tray of each missing CD image empty.

    Raises:
        PowerOnFailure: A disk is missing, or a CD image without `msg.autoAnswer`.
    """
    kept = []
    for drive in machine.drives:
        if drive.path is None or (drive.path.is_file() and os.access(drive.path, os.R_OK)):
            _check_chain(drive)
            kept.append(drive)
        elif drive.cdrom and vmx.flag("msg.autoAnswer"):
            log.post("Warning", f"Cannot connect {drive.path} as a CD-ROM image. {drive.name} starts disconnected.")
            kept.append(devices.Drive(drive.bus, drive.controller, drive.unit, cdrom=True, path=None))
        else:
            raise PowerOnFailure(f"Cannot open '{drive.path}' or one of the files it depends on, for {drive.name}.")
    return arguments.replaced(machine, kept)


def _check_chain(drive: devices.Drive) -> None:
    """Check that the backing chain of a disk is complete and unchanged.

    QEMU would open a broken chain, and fail at each read of the guest.

    Raises:
        PowerOnFailure: It is not.
    """
    try:
        if drive.path is not None and not drive.cdrom:
            chains.check_chain(drive.path, "")
    except DiskError as error:
        reason = f"Cannot open the disk '{drive.path}' or one of the snapshot disks it depends on. Reason: {error}"
        raise PowerOnFailure(reason) from error


def _saved_state(vmx: Vmx, folder: Path) -> tuple[Path, State] | tuple[None, None]:
    """Return the state file of a suspended VM and its head.

    Both are None for a VM that is off.

    Raises:
        PowerOnFailure: The state file cannot be used.
    """
    name = vmx.get("checkpoint.vmState") or ""
    if not name:
        return None, None
    path = devices.resolve(folder, name)
    try:
        state = vmss.read(path)
    except StateError as error:
        raise PowerOnFailure(f"{error}. To boot instead, remove checkpoint.vmState from the VMX.") from error
    if not state.memory:
        raise PowerOnFailure(f"{path} holds no memory")
    return path, state


def _warn(machine: arguments.Machine, log: VmLog) -> None:
    for nic in machine.nics:
        if not nic.vmnet:
            log.post("Warning", f"The network bridge is not running. Virtual device {nic.id} starts disconnected.")


def _window(program: Qemu, log: VmLog) -> str:
    """Return the kind of window that QEMU can open, or `none`."""
    _, output = process.run([str(program.binary), "-display", "help"], 20)
    for kind in ("gtk", "cocoa", "sdl"):
        if kind in output.split():
            return kind
    log.post("Warning", "This QEMU cannot open a window (on Debian: apt-get install qemu-system-gui).")
    return "none"


def _usable_qemu() -> tuple[Qemu, tuple[int, ...]]:
    program = locate.find()
    text, version = program.version()
    if version < locate.MINIMUM:
        raise PowerOnFailure(f"{program.binary} is version {text or 'unknown'}; 7.2 or newer is needed")
    return program, version
