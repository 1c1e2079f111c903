"""Virtual disks: VMDK images in their sub-formats, created and changed by `qemu-img`.

Each function takes the beginning of the sentence that VMware prints on failure, and raises `DiskError` with the whole.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

from harness.core.temporary_files import temporary_directory
from harness.vmrun_qemu.base.process import run
from harness.vmrun_qemu.disks import qemu_img
from harness.vmrun_qemu.disks.qemu_img import EXISTS, INVALID, LOCKED, NOT_A_DISK, NOT_FOUND, DiskError
from harness.vmrun_qemu.vmfiles import lock_files
from harness.vmrun_qemu.vmfiles.owned_files import extents
from harness.vmware import vmdk_descriptor

# vmware-vdiskmanager's type -> the VMDK createType for qemu-img.
SUBFORMATS = {
    "0": "monolithicSparse",
    "1": "twoGbMaxExtentSparse",
    "2": "monolithicFlat",
    "3": "twoGbMaxExtentFlat",
    "5": "streamOptimized",
}


def create(disk: Path, size: int, subformat: str, adapter: str, failure: str) -> None:
    """Create a blank disk of `size` bytes.

    Raises:
        DiskError: It exists, cannot be written, or qemu-img fails; partial files are deleted.
    """
    require_place(disk, failure)
    options = f"subformat={subformat},adapter_type={adapter}"
    qemu_img.make(["create", "-q", "-f", "vmdk", "-o", options, str(disk), str(size)], disk, failure)
    _preallocate(disk, failure)


def convert(source: Path, target: Path, subformat: str, failure: str) -> None:
    """Copy a disk into another sub-format; keep its adapter.

    Raises:
        DiskError: See `create`.
    """
    require_place(target, failure)
    options = f"subformat={subformat},adapter_type={adapter(source)}"
    qemu_img.make(["convert", "-f", "vmdk", "-O", "vmdk", "-o", options, str(source), str(target)], target, failure)
    _preallocate(target, failure)


def expand(disk: Path, size: int, failure: str) -> None:
    """Enlarge a disk; keep its sub-format and adapter.

    qemu-img cannot grow a VMDK: it is copied through a sparse raw file into a larger one beside it, which then takes
    its place.

    Raises:
        DiskError: The size is not larger, the disk is part of a chain of snapshots, or there is no room.
        VmdkError: Another disk beside it cannot be read, and may be an overlay.
    """
    require_free(disk, failure)
    if size <= virtual_size(disk, failure) or vmdk_descriptor.parent_of(disk) or vmdk_descriptor.overlays_of(disk):
        raise DiskError(failure + INVALID)
    subformat = create_type(disk)
    with temporary_directory(disk.parent, ".grow-") as folder:
        raw, grown = folder / "disk.raw", folder / disk.name
        qemu_img.make(["convert", "-O", "raw", str(disk), str(raw)], raw, failure)
        os.truncate(raw, size)
        options = f"subformat={subformat},adapter_type={adapter(disk)}"
        qemu_img.make(["convert", "-f", "raw", "-O", "vmdk", "-o", options, str(raw), str(grown)], grown, failure)
        _preallocate(grown, failure)
        for file in [*extents(grown), grown]:
            file.replace(disk.parent / file.name)


def rename(source: Path, target: Path, failure: str) -> None:
    """Rename a disk with its extents; update the overlays beside it.

    Raises:
        DiskError: The source is no disk or in use, or the target exists.
        VmdkError: Another disk beside it cannot be read, and may be an overlay.
    """
    require_free(source, failure)
    require_place(target, failure)
    parent, overlays = vmdk_descriptor.parent_of(source), vmdk_descriptor.overlays_of(source)
    described = vmdk_descriptor.read(source)
    text = described.text.replace(f'"{source.name}"', f'"{target.name}"')
    for part in extents(source):
        name = part.name.replace(source.stem, target.stem, 1)
        shutil.move(part, target.parent / name)
        text = text.replace(f'"{part.name}"', f'"{name}"')
    shutil.move(source, target)
    vmdk_descriptor.write(target, replace(described, text=text))
    if parent is not None:
        vmdk_descriptor.set_parent(target, parent)
    for overlay in overlays:
        vmdk_descriptor.set_parent(overlay, target)


def delete(disk: Path, failure: str) -> None:
    """Delete a disk with all its files.

    Raises:
        DiskError: It is no disk, or in use.
    """
    require_free(disk, failure)
    remove(disk)


def remove(disk: Path) -> None:
    """Delete a disk with its extents, or any file, if it exists."""
    for file in [*extents(disk), disk]:
        file.unlink(missing_ok=True)


def check(disk: Path, failure: str) -> None:
    """Check the consistency of a disk.

    Raises:
        DiskError: It is inconsistent.
    """
    code, output = run([qemu_img.tool(), "check", "-f", "vmdk", str(disk)], qemu_img.SECONDS)
    # A flat disk has no metadata to check: status 63.
    if code not in (0, 63):
        raise DiskError(failure + output.strip())


def create_type(disk: Path) -> str:
    """Return the VMDK createType; `monolithicSparse` by default."""
    try:
        named = vmdk_descriptor.read(disk).get("createType")
    except vmdk_descriptor.VmdkError:
        named = ""
    return named or SUBFORMATS["0"]


def adapter(disk: Path) -> str:
    """Return the disk's adapter as qemu-img names it; `lsilogic` by default."""
    try:
        named = vmdk_descriptor.read(disk).get("ddb.adapterType")
    except (vmdk_descriptor.VmdkError, OSError):
        named = ""
    return named if named in ("ide", "buslogic", "lsilogic", "legacyESX") else "lsilogic"


def virtual_size(disk: Path, failure: str) -> int:
    """Return the size in bytes that a guest sees.

    Raises:
        DiskError: The file is no disk.
    """
    code, output = run([qemu_img.tool(), "info", "--output=json", "-f", "vmdk", str(disk)], 60)
    if code:
        raise DiskError(failure + NOT_A_DISK)
    return int(json.loads(output)["virtual-size"])


def require_disk(disk: Path, failure: str) -> None:
    """Check that the file is a VMDK.

    Raises:
        DiskError: It is missing, or another file.
    """
    if not disk.is_file():
        raise DiskError(failure + NOT_FOUND)
    virtual_size(disk, failure)


def require_free(disk: Path, failure: str) -> None:
    """Check that the file is a VMDK that no VM has open.

    Raises:
        DiskError: It is missing, another file, or in use.
    """
    require_disk(disk, failure)
    if lock_files.is_held(disk):
        raise DiskError(failure + LOCKED)


def require_place(disk: Path, failure: str) -> None:
    """Check that a disk and its extents can be created there.

    Raises:
        DiskError: A file exists, or the directory does not.
    """
    if os.path.lexists(disk) or qemu_img.files_of(disk):
        raise DiskError(failure + EXISTS)
    if not disk.parent.is_dir():
        raise DiskError(failure + NOT_FOUND)


def _preallocate(disk: Path, failure: str) -> None:
    """Allocate the blocks of a flat disk, to reserve its space.

    Windows does this by itself: a file there is sparse only on request.

    Raises:
        DiskError: There is not enough room; the disk is deleted.
    """
    if not create_type(disk).endswith("Flat") or not hasattr(os, "posix_fallocate"):
        return
    try:
        for extent in extents(disk):
            with extent.open("r+b") as stream:
                os.posix_fallocate(stream.fileno(), 0, extent.stat().st_size)
    except OSError as error:
        remove(disk)
        raise DiskError(failure + qemu_img.reason(os.strerror(error.errno or 0))) from error
