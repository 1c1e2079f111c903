"""Pause, suspend and snapshot a running VM.

The vCPUs are stopped and the disk images are closed meanwhile.

QEMU refuses to save the memory of a VM that has a VMDK open ("does not support live migration"), and a VMDK that is
open cannot be given another parent. So each disk's device is bound to a node that does nothing, and while the VM is
quiesced that node is given a blank disk of the same size in place of the image. The guest sees neither: it is not
running. Its files are changed meanwhile as if the VM were off.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.vmrun_qemu.base import records
from harness.vmrun_qemu.disks import snapshots
from harness.vmrun_qemu.disks.vm_directory import VmDirectory, snapshots_locked
from harness.vmrun_qemu.qemu import arguments, migration, qmp
from harness.vmrun_qemu.supervisor.running_vm import RunningVm
from harness.vmrun_qemu.vmfiles import lock_files, vmss
from harness.vmrun_qemu.vmfiles.vmss import State

# QEMU may take this long until all pending disk I/O is done.
_QUIESCE_S = 300.0


def pause(vm: RunningVm) -> None:
    """Stop the vCPUs.

    Raises:
        QmpError: QEMU refuses or does not answer; the VM keeps running.
    """
    try:
        _ask(vm, ("stop", {}))
    except qmp.QmpError:
        with contextlib.suppress(qmp.QmpError):  # QEMU may have stopped them although it did not answer
            _ask(vm, ("cont", {}))
        raise
    vm.enter("paused")


def unpause(vm: RunningVm) -> None:
    """Resume the vCPUs."""
    _ask(vm, ("cont", {}))
    vm.enter("running")


def suspend(vm: RunningVm, address: str) -> None:
    """Save the memory in the `.vmss` and end QEMU.

    Raises:
        Failure: There is no room; the VM keeps running.
        QmpError: QEMU refuses or does not answer.
    """
    target = vmss.state_file_of(vm.path)
    with quiesced(vm):
        save_state(vm, target, address)
        vm.vmx.set("checkpoint.vmState", target.name)
        vm.ending = True
        if not qmp.quit_qemu(vm.record["qmp"]):
            vm.child.terminate()


def save_state(vm: RunningVm, target: Path, address: str) -> None:
    """Write configuration and memory to `target`; delete a partial file.

    Raises:
        Failure: There is no room.
    """
    try:
        with target.open("wb") as stream:
            vmss.write_head(stream, _state(vm, address))
            migration.save(vm.record["qmp"], vm.record["socket_dir"], stream)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _state(vm: RunningVm, address: str) -> State:
    return State(vm.vmx.text(), vm.vmx.encoding, memory=True, address=address, plugged=vm.plugged,
                 variables=vm.variables)  # fmt: skip


def take_snapshot(vm: RunningVm, name: str) -> None:
    """Take a snapshot of the VM with its memory.

    Raises:
        Failure: See `snapshots.take`; the VM keeps running.
    """
    with _files_open(vm) as directory:
        snapshots.take(directory, name, lambda target: save_state(vm, target, ""))


def delete_snapshot(vm: RunningVm, name: str, *, children: bool) -> None:
    """Delete a snapshot; with `children`, its descendants too.

    Raises:
        Failure: See `snapshots.delete`; the VM keeps running.
    """
    with _files_open(vm) as directory:
        snapshots.delete(directory, name, children=children)


@contextlib.contextmanager
def _files_open(vm: RunningVm) -> Iterator[VmDirectory]:
    """Quiesce the VM and yield its files for changes.

    Afterwards it is resumed with the disks that its VMX names.
    """
    with snapshots_locked(vm.path), quiesced(vm):
        directory = VmDirectory(vm.path, vm.vmx)
        try:
            yield directory
        finally:
            _rebind(vm, directory.disks())


def _rebind(vm: RunningVm, disks: Mapping[str, Path]) -> None:
    """Update the VM, its record and its locks to these disks."""
    drives = [replace(drive, path=disks.get(drive.name, drive.path)) for drive in vm.machine.drives]
    vm.machine = arguments.replaced(vm.machine, drives)
    held = {Path(lock) for lock in vm.record["locks"]}
    missing = [disk for disk in disks.values() if disk.with_name(disk.name + ".lck") not in held]
    held.update(lock_files.take(missing, vm.record["supervisor"]))
    gone = {lock for lock in held if not lock.with_suffix("").exists()}
    lock_files.release(gone, vm.record["supervisor"])
    vm.record["locks"] = sorted(str(lock) for lock in held - gone)
    records.save(vm.record)


@contextlib.contextmanager
def quiesced(vm: RunningVm) -> Iterator[None]:
    """Stop the vCPUs and close the disk images meanwhile.

    Afterwards the images that the VM then has are opened, and it is resumed.

    A QEMU that was ended meanwhile stays ended. One that cannot open its disks again is ended: its guest would only see
    I/O errors.

    Raises:
        QmpError: The VM could not be stopped, or not be resumed.
    """
    exchanged: list[str] = []
    try:
        _ask(vm, ("stop", {}))
        sizes = _sizes(vm)
        for drive in vm.disks:
            exchanged.append(drive.id)
            _swap_node(vm, drive.id, "blank", {"driver": "null-co", "read-zeroes": True, "size": sizes[drive.id]})
        yield
    finally:
        if not vm.ending and vm.child.poll() is None:
            _resume(vm, exchanged)


def _resume(vm: RunningVm, exchanged: list[str]) -> None:
    """Resume the VM; the disks in `exchanged` may have a blank node."""
    try:
        for drive in vm.disks:
            if drive.path is not None and drive.id in exchanged:
                _swap_node(vm, drive.id, "image", arguments.image_node(drive.path))
        if not vm.is_paused:
            _ask(vm, ("cont", {}))
    except qmp.QmpError as error:
        if exchanged:
            vm.log.post("Error", f"The disks could not be opened again; the machine is powered off: {error}")
            vm.child.terminate()
        raise


def _swap_node(vm: RunningVm, disk: str, kind: str, node: Mapping[str, Any]) -> None:
    """Put another node below a disk: `kind` is `image` or `blank`.

    The node that was there is closed. An earlier attempt may have stopped at any step, also one that QEMU completed
    without an answer in time.
    """
    name, before = f"{kind}-{disk}", f"{'blank' if kind == 'image' else 'image'}-{disk}"
    below = _nodes(vm)
    if below.get(f"disk-{disk}") != name:
        if name in below:
            _ask(vm, ("blockdev-del", {"node-name": name}))
        _ask(vm, ("blockdev-add", {**node, "node-name": name}))
        _ask(vm, ("blockdev-reopen", {"options": [arguments.disk_node(disk, name)]}))
    if before in _nodes(vm):  # QEMU deletes the node of the command line itself
        _ask(vm, ("blockdev-del", {"node-name": before}))


def _nodes(vm: RunningVm) -> dict[str, str]:
    """Return block node name -> name of the node below it."""
    (stats,) = _ask(vm, ("query-blockstats", {"query-nodes": True}))
    return {node["node-name"]: node.get("parent", {}).get("node-name", "") for node in stats}


def _sizes(vm: RunningVm) -> dict[str, int]:
    """Return the size of each disk in bytes, by device id."""
    (nodes,) = _ask(vm, ("query-named-block-nodes", {"flat": True}))
    sizes = {node["node-name"]: int(node["image"]["virtual-size"]) for node in nodes}
    return {drive.id: sizes[f"disk-{drive.id}"] for drive in vm.disks}


def _ask(vm: RunningVm, command: qmp.Command) -> list[Any]:
    """Return QEMU's answer to a command that waits for pending disk I/O.

    The host may be slow.
    """
    return vm.ask(command, timeout_s=_QUIESCE_S)
