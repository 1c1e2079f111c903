"""Power on a VM: start QEMU, connect its networks, boot or resume it."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.system import process_identity
from harness.system.process_identity import Identity
from harness.vmrun_qemu.base import home, process, records
from harness.vmrun_qemu.base.endpoint import make_socket_dir
from harness.vmrun_qemu.base.messages import IN_USE, Failure, PowerOnFailure
from harness.vmrun_qemu.base.process import Child
from harness.vmrun_qemu.base.wait import wait_for
from harness.vmrun_qemu.disks import consolidation
from harness.vmrun_qemu.disks.vm_directory import VmDirectory, read_vmx, snapshots_locked
from harness.vmrun_qemu.network import switch
from harness.vmrun_qemu.qemu import migration, qmp
from harness.vmrun_qemu.qemu.guest_agent import Agent
from harness.vmrun_qemu.state import recovery
from harness.vmrun_qemu.supervisor import requests
from harness.vmrun_qemu.supervisor.prepare import Prepared, launch, prepare
from harness.vmrun_qemu.supervisor.running_vm import RunningVm
from harness.vmrun_qemu.supervisor.server import RequestServer
from harness.vmrun_qemu.vmfiles import lock_files, vmss
from harness.vmrun_qemu.vmfiles.vmss import StateError
from harness.vmrun_qemu.vmfiles.vmware_log import VmLog

_QEMU_START_S = 60.0


def start_qemu(prepared: Prepared, record: records.Record, me: Identity, log: VmLog) -> Child:
    """Start QEMU and its guest, and return the process.

    At every moment the record holds what is needed to end it.
    """
    prepared.vmx.write(prepared.vmx_path)
    child = launch(prepared, log)
    record["qemu"] = process_identity.identity(child.pid)
    records.save(record)
    _until_up(child, record, prepared)
    if prepared.state is not None:
        _restore_memory(prepared, record, prepared.state)
    for nic in prepared.unplugged:
        qmp.ask(record["qmp"], ("set_link", {"name": nic, "up": False}))
    for plug in record["plugs"]:
        switch.plug_in(home.vm_id(prepared.vmx_path), plug, me)
    if prepared.state is not None:
        _resume(prepared, record, prepared.state)
    return child


def _until_up(child: Child, record: records.Record, prepared: Prepared) -> None:
    def state() -> bool:
        return child.poll() is not None or qmp.is_up(record["qmp"])

    if not wait_for(state, _QEMU_START_S) or child.poll() is not None:
        raise PowerOnFailure("QEMU did not start: " + process.tail(prepared.folder / "qemu.log"))


def _restore_memory(prepared: Prepared, record: records.Record, state: Path) -> None:
    try:
        with state.open("rb") as stream:
            vmss.read_head(stream, state.name)
            migration.load(record["qmp"], prepared.socket_dir, stream)
    except (StateError, OSError) as error:
        raise PowerOnFailure(str(error)) from error


def _resume(prepared: Prepared, record: records.Record, state: Path) -> None:
    """Resume the vCPUs and remove the saved memory from the VMX.

    From here on the disks no longer match the saved memory. The memory of a snapshot (`.vmsn`) is kept.
    """
    prepared.vmx.set("checkpoint.vmState", "")
    prepared.vmx.write(prepared.vmx_path)
    qmp.ask(record["qmp"], ("cont", {}))
    if state.suffix.lower() == ".vmss":
        state.unlink(missing_ok=True)


def start_server(prepared: Prepared, vm: RunningVm) -> RequestServer:
    """Start the request server of the VM and return it."""
    qmp_address = prepared.endpoints["qmp"].text
    agent = Agent(prepared.endpoints["agent"].text, lambda: qmp.port_is_open(qmp_address, "agent"))
    service = RequestServer(prepared.endpoints["service"], agent, functools.partial(requests.handle_request, vm))
    service.start()
    return service


@dataclass(frozen=True)
class Steps:
    """The steps of a power-on that create sockets and processes."""

    make_socket_dir: Callable[[str], None] = make_socket_dir
    start: Callable[[Prepared, records.Record, Identity, VmLog], Child] = start_qemu
    serve: Callable[[Prepared, RunningVm], RequestServer] = start_server


def power_on(vmx_path: str, log: VmLog, *, gui: bool) -> RunningVm:
    """Power on the VM of a VMX and start its request server.

    Raises:
        Failure: It cannot be powered on; the attempt is cleaned up.
        OSError: A file of it cannot be written.
    """
    finish_consolidation(Path(vmx_path), log)
    return start_prepared(prepare(vmx_path, log, gui=gui), log, Steps())


def start_prepared(prepared: Prepared, log: VmLog, steps: Steps) -> RunningVm:
    """Start a prepared VM and its request server.

    Raises:
        Failure: It cannot be powered on; the attempt is cleaned up.
        OSError: A file of it cannot be written.
    """
    me = process_identity.identity(os.getpid())
    record = prepared.record(me)
    try:
        records.save(record)
        record["locks"] = _locked(prepared, me)
        steps.make_socket_dir(prepared.socket_dir)
        vm = RunningVm(prepared, steps.start(prepared, record, me, log), record, log)
        vm.service = steps.serve(prepared, vm)
        vm.enter("running")
    except BaseException as error:
        recovery.remove_traces(record)
        if isinstance(error, qmp.QmpError):
            reason = process.tail(prepared.folder / "qemu.log")
            raise PowerOnFailure(f"{error}: {reason}" if reason else str(error)) from error
        raise
    log.say(f"PowerOn: running as process {vm.child.pid}")
    return vm


def _locked(prepared: Prepared, me: Identity) -> list[str]:
    """Lock the files of the VM and return the locks.

    Raises:
        PowerOnFailure: Another process holds one of the files.
        OSError: They cannot be written.
    """
    try:
        return [str(lock) for lock in lock_files.take(prepared.locked_files, me)]
    except FileExistsError as error:
        raise PowerOnFailure(f"{error.filename} exists and its owner lives or is unknown", IN_USE) from error


def finish_consolidation(path: Path, log: VmLog) -> None:
    """Finish an interrupted consolidation; log a failure and go on."""
    if not path.with_suffix(".vmsd").exists() or lock_files.is_held(path):
        return
    try:
        with snapshots_locked(path):
            consolidation.finish_interrupted(VmDirectory(path, read_vmx(path, str(path))))
    except (Failure, OSError) as error:
        log.post("Warning", f"Disks of deleted snapshots could not be merged: {error}")
