"""Backing chains: overlays, each with the changes since its parent was frozen."""

from __future__ import annotations

from pathlib import Path

from harness.vmrun_qemu.base.process import run
from harness.vmrun_qemu.disks import qemu_img
from harness.vmrun_qemu.disks.images import adapter, create_type, require_place
from harness.vmrun_qemu.disks.qemu_img import NO_PARENT, NOT_A_DISK, PARENT_CHANGED, DiskError
from harness.vmware import vmdk_descriptor


def make_overlay(parent: Path, overlay: Path) -> None:
    """Create an empty overlay on a disk.

    It has the parent's size and takes all writes from now on; the parent is only read.

    Raises:
        DiskError: See `create`.
    """
    try:
        described = vmdk_descriptor.read(parent)
    except (vmdk_descriptor.VmdkError, OSError) as error:
        raise DiskError(f"{NOT_A_DISK} {parent}") from error
    split = described.get("createType").startswith("twoGb")
    options = f"subformat={'twoGbMaxExtentSparse' if split else 'monolithicSparse'},adapter_type={adapter(parent)}"
    hint = parent.name if parent.parent == overlay.parent else str(parent)
    qemu_img.make(["create", "-q", "-f", "vmdk", "-o", options, "-F", "vmdk", "-b", hint, str(overlay)], overlay, "")


def copy_chain(disk: Path, target: Path) -> None:
    """Copy a disk and its backing chain into one independent growable disk.

    Raises:
        DiskError: See `create`.
    """
    require_place(target, "")
    split = create_type(disk).startswith("twoGb")
    options = f"subformat={'twoGbMaxExtentSparse' if split else 'monolithicSparse'},adapter_type={adapter(disk)}"
    qemu_img.make(["convert", "-f", "vmdk", "-O", "vmdk", "-o", options, str(disk), str(target)], target, "")


def commit(overlay: Path) -> None:
    """Write an overlay's changes into its parent; the overlay stays unchanged.

    The parent has a new content id (CID) afterwards.

    Raises:
        DiskError: There is no room, or the chain is broken.
    """
    code, output = run([qemu_img.tool(), "commit", "-q", "-d", "-f", "vmdk", str(overlay)], qemu_img.SECONDS)
    if code:
        raise DiskError(qemu_img.reason(output))


def check_chain(disk: Path, failure: str) -> None:
    """Check that the backing chain of a disk is complete and unchanged.

    Raises:
        DiskError: A parent is missing, is no disk, or was written to since its overlay was created.
    """
    seen = {disk.resolve()}
    while (parent := _parent(disk, failure)) is not None:
        if parent.resolve() in seen:
            raise DiskError(f"{failure}{NOT_A_DISK} {parent}")
        seen.add(parent.resolve())
        if not parent.is_file():
            raise DiskError(f"{failure}{NO_PARENT} {parent}")
        try:
            present, expected = vmdk_descriptor.read(parent).get("CID"), vmdk_descriptor.read(disk).get("parentCID")
        except (vmdk_descriptor.VmdkError, OSError) as error:
            raise DiskError(f"{failure}{NOT_A_DISK} {parent}") from error
        if present.lower() != expected.lower():
            raise DiskError(f"{failure}{PARENT_CHANGED} {parent}")
        disk = parent


def _parent(disk: Path, failure: str) -> Path | None:
    if disk.suffix.lower() != ".vmdk":  # a raw disk: only a VMDK names a parent
        return None
    try:
        return vmdk_descriptor.parent_of(disk)
    except (vmdk_descriptor.VmdkError, OSError) as error:
        raise DiskError(f"{failure}{NOT_A_DISK} {disk}") from error
