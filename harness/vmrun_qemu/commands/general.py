"""clone, upgradevm, deleteVM."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import (
    ALREADY_RUNNING,
    DISKS_BUSY,
    FILE_EXISTS,
    IN_USE,
    INVALID_PARAMETER,
    NOT_CHANGED,
    SNAPSHOT_MISSING,
    UP_TO_DATE,
    Failure,
    Flags,
)
from harness.vmrun_qemu.disks import clones, snapshots
from harness.vmrun_qemu.disks.consolidation import finish_interrupted
from harness.vmrun_qemu.disks.vm_directory import VmDirectory, open_powered_off, read_vmx, snapshots_locked
from harness.vmrun_qemu.state import inventory
from harness.vmrun_qemu.state.power import settled
from harness.vmrun_qemu.vmfiles import lock_files, vmss
from harness.vmrun_qemu.vmfiles.owned_files import files_of, used_by_others
from harness.vmrun_qemu.vmfiles.vmsd import Snapshot
from harness.vmrun_qemu.vmfiles.vmss import StateError
from harness.vmware.lock_directory import remove_lock_directory
from harness.vmware.vmx import Vmx

_OPTIONS = ("-snapshot", "-clonename")


def clone(parameters: Sequence[str], _flags: Flags) -> int:
    """Copy a VM, or one of its snapshots.

    A `linked` clone builds on the disks of a snapshot.

    Raises:
        Failure: The target exists, the snapshot does not, or the VM is on and no snapshot is named.
    """
    vmx, target, kind, *rest = parameters
    options = clone_options(rest)
    if kind.lower() not in ("full", "linked") or not target.lower().endswith(".vmx"):
        raise Failure(f"{INVALID_PARAMETER}: {kind if target.lower().endswith('.vmx') else target}")
    goal = Path(home.canonical(target))
    if goal.exists():
        raise Failure(FILE_EXISTS)
    name, linked = options.get("-clonename") or goal.stem, kind.lower() == "linked"
    if "-snapshot" in options:
        path = Path(home.canonical(vmx))
        with snapshots_locked(path):
            directory = VmDirectory(path, read_vmx(path, vmx))
            _clone_snapshot(directory, _named(directory, options["-snapshot"]), goal, name, linked=linked)
        return 0
    with _powered_off(vmx) as directory:
        finish_interrupted(directory)
        if linked:
            clones.require_place(goal, len(directory.disks()))
            snapshots.take(directory, directory.tree.free_name(f"Snapshot for {name}"))
            _clone_snapshot(directory, directory.tree.snapshots[-1], goal, name, linked=True)
        else:
            request = clones.CloneRequest(directory.vmx, tuple(directory.disks().items()), goal, name)
            clones.make(request, directory.vmx_path, linked=False)
    return 0


def clone_options(words: Sequence[str]) -> dict[str, str]:
    """Parse `-snapshot=NAME` or `-snapshot NAME`; return values by option in lower case.

    Raises:
        Failure: Another option is given, or a value is missing.
    """
    found, left = {}, list(words)
    while left:
        word = left.pop(0)
        key, equals, value = word.partition("=")
        if key.lower() not in _OPTIONS or not (equals or left):
            raise Failure(f"{INVALID_PARAMETER}: {word}")
        found[key.lower()] = value if equals else left.pop(0)
    return found


def upgrade_vm(parameters: Sequence[str], _flags: Flags) -> int:
    """Set the newest hardware version in a VM's VMX.

    Raises:
        Failure: The VM is on, or up to date.
    """
    with _powered_off(parameters[0]) as directory:
        version = directory.vmx.get("virtualHW.version") or "0"
        if version.isdecimal() and int(version) >= clones.NEWEST_HARDWARE:
            raise Failure(UP_TO_DATE)
        directory.vmx.set("virtualHW.version", clones.NEWEST_HARDWARE)
        directory.vmx.write(directory.vmx_path)
    return 0


def delete_vm(parameters: Sequence[str], _flags: Flags) -> int:
    """Delete a VM's files, and its directory unless it holds foreign files.

    Raises:
        Failure: The VM runs, another process has it open, or a linked clone needs its disks.
    """
    vmx = parameters[0]
    if inventory.find(vmx) is not None:
        raise Failure(ALREADY_RUNNING)
    if lock_files.is_held(Path(home.canonical(vmx))):
        raise Failure(IN_USE)
    with open_powered_off(vmx) as directory:
        dependent = [clone for snapshot in directory.tree.snapshots for clone in directory.existing_clones(snapshot)]
        if dependent:
            raise Failure(f"{DISKS_BUSY}: {', '.join(dependent)}")
        shared = used_by_others(directory.vmx_path)
        files = [file for file in files_of(directory.vmx_path) if file not in shared]
        if any(lock_files.is_held(file) for file in files if file.suffix.lower() == ".vmdk"):
            raise Failure(IN_USE)
        clones.unregister(directory.vmx_path)
        for file in files:
            if file.is_dir():
                with contextlib.suppress(OSError):
                    remove_lock_directory(file)
            else:
                file.unlink(missing_ok=True)
    shutil.rmtree(home.vm_dir(vmx), ignore_errors=True)
    if not any(directory.path.iterdir()):
        directory.path.rmdir()
    return 0


@contextlib.contextmanager
def _powered_off(vmx: str) -> Iterator[VmDirectory]:
    """Hold a VM that is off.

    Raises:
        Failure: It is on or suspended.
    """
    if settled(home.canonical(vmx)) is not None:
        raise Failure(ALREADY_RUNNING)
    with open_powered_off(vmx) as directory:
        if directory.vmx.get("checkpoint.vmState"):
            raise Failure(ALREADY_RUNNING)
        yield directory


def _named(directory: VmDirectory, name: str) -> Snapshot:
    """Return the snapshot to clone.

    Raises:
        Failure: There is no snapshot of that name, or the VM was on when it was taken.
    """
    try:
        snapshot = directory.tree.named(name)
    except Failure as failure:
        if failure.text != SNAPSHOT_MISSING:
            raise
        raise Failure(f"Invalid snapshot name '{name}'\n") from failure
    if snapshot.memory:
        raise Failure(NOT_CHANGED)
    return snapshot


def _clone_snapshot(directory: VmDirectory, snapshot: Snapshot, goal: Path, name: str, *, linked: bool) -> None:
    disks = tuple((node, directory.resolve(file)) for node, file in snapshot.disks)
    request = clones.CloneRequest(_configuration_of(directory, snapshot), disks, goal, name)
    if linked:
        clones.register(directory, snapshot, goal)
    clones.make(request, directory.vmx_path, linked=linked)


def _configuration_of(directory: VmDirectory, snapshot: Snapshot) -> Vmx:
    try:
        return vmss.read(directory.resolve(snapshot.file)).configuration()
    except StateError:
        return directory.vmx
