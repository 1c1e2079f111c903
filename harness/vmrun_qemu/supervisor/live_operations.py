"""What happens to a running machine as a whole: its processors stand still and its disk files are closed meanwhile.

QEMU refuses to save the memory of a machine that has a VMDK open ("does not support live migration"), and a VMDK that
is open cannot be given another parent. So each disk's device hangs on a node that does nothing, and while the machine
stands still that node is given a blank disk of the same size in place of the image. The guest sees neither: it is not
running. What is done to the files meanwhile is done as if the machine were off.
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
from harness.vmrun_qemu.supervisor.running_vm import Running
from harness.vmrun_qemu.vmfiles import lock_files, vmss
from harness.vmrun_qemu.vmfiles.vmss import State

# So long QEMU may take until what is on its way to and from the disks has arrived.
_STAND_S = 300.0


def pause(run: Running) -> None:
    """Have the processors stand still.

    Raises:
        QmpError: QEMU could not do it; the machine runs on.
    """
    try:
        _ask(run, ("stop", {}))
    except qmp.QmpError:
        with contextlib.suppress(qmp.QmpError):  # it may have been done all the same
            _ask(run, ("cont", {}))
        raise
    run.enter("paused")


def unpause(run: Running) -> None:
    """Have the processors run."""
    _ask(run, ("cont", {}))
    run.enter("running")


def suspend(run: Running, address: str) -> None:
    """Have the machine's memory in its `.vmss`, the VMX name that, and end QEMU.

    Raises:
        Failure: There is no room; the machine runs on.
        QmpError: QEMU could not do it.
    """
    target = vmss.place(run.path)
    with standing_still(run):
        save_state(run, target, address)
        run.vmx.set("checkpoint.vmState", target.name)
        run.ending = True
        if not qmp.quit_qemu(run.record["qmp"]):
            run.child.terminate()


def save_state(run: Running, target: Path, address: str) -> None:
    """Have configuration and memory in `target`, durably; a file that could not be finished is removed.

    Raises:
        Failure: There is no room.
    """
    try:
        with target.open("wb") as stream:
            vmss.write_head(stream, _state(run, address))
            migration.save(run.record["qmp"], run.record["socket_dir"], stream)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _state(run: Running, address: str) -> State:
    return State(run.vmx.text(), run.vmx.encoding, memory=True, address=address, plugged=run.plugged,
                 variables=run.variables)  # fmt: skip


def take_snapshot(run: Running, name: str) -> None:
    """Have a snapshot of the machine with its memory.

    Raises:
        Failure: See `snapshots.take`; the machine runs on.
    """
    with _changing(run) as directory:
        snapshots.take(directory, name, lambda target: save_state(run, target, ""))


def delete_snapshot(run: Running, name: str, *, children: bool) -> None:
    """Have no such snapshot.

    Raises:
        Failure: See `snapshots.delete`; the machine runs on.
    """
    with _changing(run) as directory:
        snapshots.delete(directory, name, children=children)


@contextlib.contextmanager
def _changing(run: Running) -> Iterator[VmDirectory]:
    """Have the machine stand still and its files open for change; afterwards it runs on with the disks of its VMX."""
    with snapshots_locked(run.path), standing_still(run):
        directory = VmDirectory(run.path, run.vmx)
        try:
            yield directory
        finally:
            _rebind(run, directory.disks())


def _rebind(run: Running, disks: Mapping[str, Path]) -> None:
    """Have the machine, its record and its locks name the disks that its VMX names now."""
    drives = [replace(drive, path=disks.get(drive.name, drive.path)) for drive in run.machine.drives]
    run.machine = arguments.replaced(run.machine, drives)
    held = {Path(lock) for lock in run.record["locks"]}
    missing = [disk for disk in disks.values() if disk.with_name(disk.name + ".lck") not in held]
    held.update(lock_files.take(missing, run.record["supervisor"]))
    gone = {lock for lock in held if not lock.with_suffix("").exists()}
    lock_files.release(gone, run.record["supervisor"])
    run.record["locks"] = sorted(str(lock) for lock in held - gone)
    records.save(run.record)


@contextlib.contextmanager
def standing_still(run: Running) -> Iterator[None]:
    """Have the disk files closed and the processors stopped; afterwards the machine goes on with the disks it then has.

    A QEMU that was ended meanwhile stays so. One that cannot get its disks back is ended: its guest could only suffer.

    Raises:
        QmpError: The machine could not be stopped, or not be set going again.
    """
    exchanged: list[str] = []
    try:
        _ask(run, ("stop", {}))
        sizes = _sizes(run)
        for drive in run.disks:
            exchanged.append(drive.id)
            _exchange(run, drive.id, "blank", {"driver": "null-co", "read-zeroes": True, "size": sizes[drive.id]})
        yield
    finally:
        if not run.ending and run.child.poll() is None:
            _go_on(run, exchanged)


def _go_on(run: Running, exchanged: list[str]) -> None:
    """Have the machine run with its disks; those in `exchanged` may have been taken away."""
    try:
        for drive in run.disks:
            if drive.path is not None and drive.id in exchanged:
                _exchange(run, drive.id, "image", arguments.image_node(drive.path))
        if not run.is_paused:
            _ask(run, ("cont", {}))
    except qmp.QmpError as error:
        if exchanged:
            run.log.post("Error", f"The disks could not be opened again; the machine is powered off: {error}")
            run.child.terminate()
        raise


def _exchange(run: Running, disk: str, kind: str, node: Mapping[str, Any]) -> None:
    """Have an image (`kind` is `image`) or a blank disk (`blank`) under a disk's node; what was there is closed.

    An earlier attempt may have got anywhere, also one of which QEMU did not say in time that it was done.
    """
    name, before = f"{kind}-{disk}", f"{'blank' if kind == 'image' else 'image'}-{disk}"
    below = _nodes(run)
    if below.get(f"disk-{disk}") != name:
        if name in below:
            _ask(run, ("blockdev-del", {"node-name": name}))
        _ask(run, ("blockdev-add", {**node, "node-name": name}))
        _ask(run, ("blockdev-reopen", {"options": [arguments.disk_node(disk, name)]}))
    if before in _nodes(run):  # the node of the command line goes by itself
        _ask(run, ("blockdev-del", {"node-name": before}))


def _nodes(run: Running) -> dict[str, str]:
    """Return the name of each block node, with the name of the node below it."""
    (stats,) = _ask(run, ("query-blockstats", {"query-nodes": True}))
    return {node["node-name"]: node.get("parent", {}).get("node-name", "") for node in stats}


def _sizes(run: Running) -> dict[str, int]:
    """Return the size of each disk in bytes, by device id."""
    (nodes,) = _ask(run, ("query-named-block-nodes", {"flat": True}))
    sizes = {node["node-name"]: int(node["image"]["virtual-size"]) for node in nodes}
    return {drive.id: sizes[f"disk-{drive.id}"] for drive in run.disks}


def _ask(run: Running, command: qmp.Command) -> list[Any]:
    """Return QEMU's answer to what waits for all that its disks have to do, on a host that may be slow."""
    return qmp.ask(run.record["qmp"], command, timeout_s=_STAND_S)
