"""The directory of a VM, opened for changes: VMX, `.vmsd`, disks.

The VM is off, or running and quiesced.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from harness.system import process_identity
from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import IN_USE, NOT_SUPPORTED, SNAPSHOT_INCONSISTENT, Failure, unreadable
from harness.vmrun_qemu.base.wait import wait_for
from harness.vmrun_qemu.vmfiles import devices, lock_files, requirements, vmsd
from harness.vmrun_qemu.vmfiles.vmsd import Snapshot, Tree
from harness.vmware import vmdk_descriptor
from harness.vmware.vmx import Vmx, VmxError

_LOCK_S = 600.0
_OFF_S = 5.0


class VmDirectory:
    """The files of one VM.

    Args:
        vmx_path: The VMX file.
        vmx: Its content, which is changed and written by `save`.
    """

    def __init__(self, vmx_path: Path, vmx: Vmx) -> None:
        self.vmx_path = vmx_path
        self.vmx = vmx
        self._vmsd_path = vmx_path.with_suffix(".vmsd")
        try:
            self.vmsd = Vmx.read(self._vmsd_path) if self._vmsd_path.exists() else Vmx.parse("")
        except (VmxError, OSError) as error:
            raise Failure(f"{SNAPSHOT_INCONSISTENT}: {error}") from error
        self.tree: Tree = vmsd.tree_of(self.vmsd)

    @property
    def path(self) -> Path:
        """The directory."""
        return self.vmx_path.parent

    def disks(self) -> dict[str, Path]:
        """Return VMX device id -> file of each disk that snapshots include.

        Raises:
            Failure: A disk is no VMDK, so it cannot have an overlay.
        """
        found = {}
        for drive in devices.drives(self.vmx, self.path):
            if drive.path is None or drive.cdrom or _is_independent(self.vmx, drive.name):
                continue
            if drive.path.suffix.lower() != ".vmdk":
                raise Failure(NOT_SUPPORTED)
            found[drive.name] = drive.path
        return found

    def has_independent_disks(self) -> bool:
        """Return whether snapshots leave out a disk."""
        drives = devices.drives(self.vmx, self.path)
        return any(_is_independent(self.vmx, drive.name) for drive in drives if drive.path and not drive.cdrom)

    def resolve(self, name: str) -> Path:
        """Return the path of a file name in the VMX or `.vmsd`."""
        return devices.resolve(self.path, name)

    def name_of(self, file: Path) -> str:
        """Return the name of a file for the VMX or `.vmsd`."""
        return file.name if file.parent == self.path else str(file)

    def set_disks(self, disks: dict[str, Path]) -> None:
        """Set the files of the VM's disks, without saving the VMX."""
        for node, file in disks.items():
            self.vmx.set(f"{node}.fileName", self.name_of(file))

    def save(self, tree: Tree) -> None:
        """Save the VMX, then the `.vmsd`.

        The order matters after a crash: an overlay without a snapshot does no harm, a snapshot whose disks are written
        to does.
        """
        self.vmx.write(self.vmx_path)
        self.save_tree(tree)

    def save_tree(self, tree: Tree) -> None:
        """Save the `.vmsd`."""
        self.tree = tree
        vmsd.store(tree, self.vmsd)
        self.vmsd.write(self._vmsd_path)

    def existing_clones(self, snapshot: Snapshot) -> list[str]:
        """Return the existing linked clones of a snapshot."""
        return [clone for clone in snapshot.clones if os.path.lexists(clone)]

    def replace_disk(self, old: Path, new: Path) -> None:
        """Replace a disk in VMX and snapshots, and save them."""
        before, after = self.name_of(old), self.name_of(new)
        for node, file in self.disks().items():
            if file == old:
                self.vmx.set(f"{node}.fileName", after)
        renamed = (
            replace(s, disks=tuple((node, after if file == before else file) for node, file in s.disks))
            for s in self.tree.snapshots
        )
        self.save(replace(self.tree, snapshots=tuple(renamed)))

    def parents(self, more: list[Path]) -> dict[Path, Path]:
        """Return disk -> parent for all backing chains.

        They are those of the VM's disks, of its snapshots' disks, and of `more`.

        Raises:
            VmdkError: A disk is none: its parent is not known.
            OSError: A disk cannot be read.
        """
        left = [*self.disks().values(), *self.snapshot_disks(), *more]
        found: dict[Path, Path] = {}
        while left:
            disk = left.pop()
            parent = vmdk_descriptor.parent_of(disk)
            if parent is not None and disk not in found:
                found[disk] = parent
                left.append(parent)
        return found

    def snapshot_disks(self) -> list[Path]:
        """Return the disks of all snapshots."""
        return [self.resolve(file) for snapshot in self.tree.snapshots for _, file in snapshot.disks if file]


def _is_independent(vmx: Vmx, node: str) -> bool:
    """Return whether snapshots leave out a disk."""
    return (vmx.get(f"{node}.mode") or "").lower().startswith("independent")


@contextlib.contextmanager
def snapshots_locked(path: Path) -> Iterator[None]:
    """Lock the snapshots of a VM by its `.vmsd.lck`, across all homes.

    Raises:
        Failure: Another process holds the lock for too long.
    """
    file, me = path.with_suffix(".vmsd"), process_identity.identity(os.getpid())

    def take() -> list[Path] | None:
        try:
            return lock_files.take([file], me)
        except FileExistsError:
            return None

    locks = wait_for(take, _LOCK_S)
    if locks is None:
        raise Failure(IN_USE)
    try:
        yield
    finally:
        lock_files.release(locks, me)


@contextlib.contextmanager
def open_powered_off(vmx: str) -> Iterator[VmDirectory]:
    """Lock a powered-off VM and yield its directory.

    Raises:
        Failure: It is on, or another process has it open, or its VMX cannot be read.
    """
    path = Path(home.canonical(vmx))
    folder = home.vm_dir(vmx)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "lock", timeout=_OFF_S), snapshots_locked(path):
            me = process_identity.identity(os.getpid())
            locks = lock_files.take([path], me)
            try:
                yield VmDirectory(path, read_vmx(path, vmx))
            finally:
                lock_files.release(locks, me)
    except (Timeout, FileExistsError) as error:
        raise Failure(IN_USE) from error


def read_vmx(path: Path, given_path: str) -> Vmx:
    """Read the VMX.

    Raises:
        Failure: It cannot be read, with a message that has `given_path`, or is encrypted.
    """
    try:
        vmx = Vmx.read(path)
    except (VmxError, OSError) as error:
        raise unreadable(given_path) from error
    requirements.check_not_encrypted(vmx)
    return vmx
