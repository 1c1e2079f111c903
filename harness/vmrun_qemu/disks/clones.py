"""Create a clone: configuration with own identifiers, copied or linked disks."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from harness.vmrun_qemu.base.messages import FILE_EXISTS, Failure
from harness.vmrun_qemu.disks import chains, images, qemu_img
from harness.vmrun_qemu.disks.qemu_img import DiskError
from harness.vmrun_qemu.disks.vm_directory import VmDirectory, snapshots_locked
from harness.vmrun_qemu.vmfiles import devices, identifiers
from harness.vmrun_qemu.vmfiles.vmsd import Snapshot
from harness.vmware.vmx import Vmx, VmxError

# The newest hardware version of Workstation 17.5 and later.
NEWEST_HARDWARE = 21
_FROM = "cloneOf0"
# VMX key -> ending of the file beside the VMX that it names.
_BESIDE = {"nvram": ".nvram", "extendedConfigFile": ".vmxf"}


@dataclass(frozen=True)
class CloneRequest:
    """Source and target of a clone.

    `vmx` is the configuration to clone, `disks` are (device id, file), `target` is the new VMX, `name` its name.
    """

    vmx: Vmx
    disks: tuple[tuple[str, Path], ...]
    target: Path
    name: str


def make(
    request: CloneRequest, source: Path, *, linked: bool, make_disk: Callable[[Path, Path], None] | None = None
) -> None:
    """Create the clone's files, its VMX last.

    Args:
        request: What to clone.
        source: The VMX of the source.
        linked: Whether the clone's disks are overlays of the source's disks, not copies.
        make_disk: Creates a disk (source, target) of the clone, in place of `chains`.

    Raises:
        Failure: See `require_place`; or a disk cannot be copied or get an overlay. All files of the clone are deleted.
    """
    make_disk = make_disk or (chains.make_overlay if linked else chains.copy_chain)
    require_place(request.target, len(request.disks))
    folder = request.target.parent
    new_folders = [item for item in (folder, *folder.parents) if not item.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    try:
        vmx = _configuration(request, source.parent)
        for copy, (node, disk) in zip(_copies(request.target, len(request.disks)), request.disks, strict=True):
            images.require_place(copy, "")
            made.append(copy)
            make_disk(disk, copy)
            vmx.set(f"{node}.fileName", copy.name)
        _copy_companion_files(vmx, source.parent, request.target, made)
        if linked:
            made.append(request.target.with_suffix(".vmsd"))
            _origin(source).write(made[-1])
        vmx.write(request.target)
    except BaseException as error:
        for file in made:
            images.remove(file)
        with contextlib.suppress(OSError):  # another process has created a file in it
            for item in new_folders:
                item.rmdir()
        if isinstance(error, DiskError):
            raise Failure(error.plain) from error
        raise


def require_place(target: Path, disks: int) -> None:
    """Check that all file names that a clone needs are free.

    Raises:
        Failure: One is taken.
    """
    beside = [target.with_suffix(suffix) for suffix in (*_BESIDE.values(), ".vmsd")]
    taken = [file for file in (target, *beside) if os.path.lexists(file)]
    taken += [file for copy in _copies(target, disks) for file in qemu_img.files_of(copy)]
    if taken:
        raise Failure(f"{FILE_EXISTS}: {taken[0]}" if taken[0] != target else FILE_EXISTS)


def _copies(target: Path, disks: int) -> list[Path]:
    """Return the names of a clone's disks."""
    return [target.with_name(f"{target.stem}{f'-{number}' if number else ''}.vmdk") for number in range(disks)]


def register(directory: VmDirectory, snapshot: Snapshot, clone: Path) -> None:
    """Add a clone to its snapshot; drop clones that were deleted."""
    clones = [other for other in directory.existing_clones(snapshot) if other != str(clone)]
    directory.save_tree(directory.tree.with_changed(replace(snapshot, clones=(*clones, str(clone)))))


def unregister(clone: Path) -> None:
    """Remove the clone from its parent's snapshots, if the parent exists."""
    try:
        origin = Vmx.read(clone.with_suffix(".vmsd")).get(_FROM) or ""
    except (VmxError, OSError):
        return
    parent = Path(origin)
    if not origin or not parent.with_suffix(".vmsd").is_file():
        return
    with snapshots_locked(parent):
        directory = VmDirectory(parent, Vmx.parse(""))
        for snapshot in directory.tree.snapshots:
            if str(clone) in snapshot.clones:
                left = tuple(other for other in snapshot.clones if other != str(clone))
                directory.save_tree(directory.tree.with_changed(replace(snapshot, clones=left)))


def _origin(source: Path) -> Vmx:
    """Return the `.vmsd` of a new linked clone."""
    vmsd = Vmx.parse('.encoding = "UTF-8"\n')
    vmsd.update([(_FROM, str(source)), ("numCloneOf", 1)])
    return vmsd


def _configuration(request: CloneRequest, folder: Path) -> Vmx:
    """Return the clone's VMX, with its own id, addresses and files.

    Its CD images are those of the source.
    """
    vmx = request.vmx.copy()
    vmx.set("displayName", request.name)
    vmx.set("uuid.bios", identifiers.vmware_form(b"\x56\x4d" + secrets.token_bytes(14)))
    vmx.remove("uuid.location")
    vmx.set("checkpoint.vmState", "")
    for key, value in vmx.items():
        name, _, last = key.lower().rpartition(".")
        if last in ("generatedaddress", "generatedaddressoffset"):
            vmx.remove(key)
        elif last == "filename" and name.startswith("serial"):
            vmx.set(key, Path(value.replace("\\", "/")).name)
        elif last == "filename" and (vmx.get(f"{name}.deviceType") or "").lower() == "cdrom-image":
            vmx.set(key, str(devices.resolve(folder, value)))
    return vmx


def _copy_companion_files(vmx: Vmx, folder: Path, target: Path, made: list[Path]) -> None:
    """Copy the files beside the VMX; first add them to `made`."""
    for key, suffix in _BESIDE.items():
        if not (name := vmx.get(key)):
            continue
        copy = target.with_suffix(suffix)
        vmx.set(key, copy.name)
        if (folder / name).is_file():
            made.append(copy)
            shutil.copyfile(folder / name, copy)
