"""Virtual disks: VMware's VMDK in its sub-formats, made and changed by `qemu-img`.

Every function takes the beginning of the sentence that VMware prints on failure, and raises `DiskError` with all of it.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import tempfile
from pathlib import Path

from harness.vmrun_qemu import vmdk
from harness.vmrun_qemu.process import run
from harness.vmrun_qemu.vmfiles import extents

# vmware-vdiskmanager's type -> the VMDK createType that qemu-img makes.
SUBFORMATS = {
    "0": "monolithicSparse",
    "1": "twoGbMaxExtentSparse",
    "2": "monolithicFlat",
    "3": "twoGbMaxExtentFlat",
    "5": "streamOptimized",
}
# Texts and numbers of the VIX catalogue, as vmware-vdiskmanager prints them.
INVALID = "One of the parameters supplied is invalid (0x3e80)."
EXISTS = "The file already exists (0xc)."
NOT_A_DISK = "The specified file is not a virtual disk (0x3ebf)."
NOT_FOUND = "A file was not found (0x4)."
FULL = "There is not enough space in the file system for the selected operation (0x8)."
NO_ACCESS = "Insufficient permission to access the file (0xd)."

_CREATE_TYPE = re.compile(rb'createType="(\w+)"')
_SECONDS = 3600.0


class DiskError(Exception):
    """What VMware prints when it cannot do something with a disk."""

    @property
    def plain(self) -> str:
        """The text as `vmrun` prints it: without the number."""
        return re.sub(r" \(0x[0-9a-f]+\)\.$", "", str(self))


def create(disk: Path, size: int, subformat: str, adapter: str, failure: str) -> None:
    """Make a blank disk of `size` bytes.

    Raises:
        DiskError: It exists, cannot be written, or qemu-img refuses; nothing of it is left.
    """
    require_place(disk, failure)
    options = f"subformat={subformat},adapter_type={adapter}"
    _qemu_img(["create", "-q", "-f", "vmdk", "-o", options, str(disk), str(size)], disk, failure)


def convert(source: Path, target: Path, subformat: str, failure: str) -> None:
    """Copy a disk into another sub-format.

    Raises:
        DiskError: See `create`.
    """
    require_place(target, failure)
    options = f"subformat={subformat},adapter_type=lsilogic"
    _qemu_img(["convert", "-O", "vmdk", "-o", options, str(source), str(target)], target, failure)


def expand(disk: Path, size: int, failure: str) -> None:
    """Make a disk larger; its sub-format stays.

    qemu-img cannot grow a VMDK: it is copied through a sparse raw file into a larger one beside it, which then takes
    its place.

    Raises:
        DiskError: The size is not larger, or there is no room.
    """
    require_disk(disk, failure)
    if size <= virtual_size(disk, failure):
        raise DiskError(failure + INVALID)
    subformat = create_type(disk)
    with tempfile.TemporaryDirectory(prefix=".grow-", dir=disk.parent) as folder:
        raw, grown = Path(folder) / "disk.raw", Path(folder) / disk.name
        _qemu_img(["convert", "-O", "raw", str(disk), str(raw)], raw, failure)
        os.truncate(raw, size)
        options = f"subformat={subformat},adapter_type=lsilogic"
        _qemu_img(["convert", "-f", "raw", "-O", "vmdk", "-o", options, str(raw), str(grown)], grown, failure)
        for old in [*extents(disk), disk]:
            old.unlink(missing_ok=True)
        for file in [*extents(grown), grown]:
            file.replace(disk.parent / file.name)


def rename(source: Path, target: Path, failure: str) -> None:
    """Give a disk and its extents another name.

    Raises:
        DiskError: The source is no disk, or the target exists.
    """
    require_disk(source, failure)
    require_place(target, failure)
    parts = extents(source)
    if parts:
        text = source.read_text(encoding="utf-8")
        for part in parts:
            name = part.name.replace(source.stem, target.stem, 1)
            part.replace(target.parent / name)
            text = text.replace(f'"{part.name}"', f'"{name}"')
        target.write_text(text, encoding="utf-8")
        source.unlink()
    else:
        shutil.move(source, target)


def delete(disk: Path, failure: str) -> None:
    """Remove a disk with all its files.

    Raises:
        DiskError: It is none.
    """
    require_disk(disk, failure)
    remove(disk)


def make_overlay(parent: Path, overlay: Path) -> None:
    """Make an empty disk of the parent's size that holds what changes from now on; the parent is only read.

    Raises:
        DiskError: See `create`.
    """
    try:
        described = vmdk.read(parent)
    except (vmdk.VmdkError, OSError) as error:
        raise DiskError(f"{NOT_A_DISK} {parent}") from error
    split = described.get("createType").startswith("twoGb")
    adapter = described.get("ddb.adapterType") or "lsilogic"
    options = f"subformat={'twoGbMaxExtentSparse' if split else 'monolithicSparse'},adapter_type={adapter}"
    hint = parent.name if parent.parent == overlay.parent else str(parent)
    _qemu_img(["create", "-q", "-f", "vmdk", "-o", options, "-F", "vmdk", "-b", hint, str(overlay)], overlay, "")


def copy_chain(disk: Path, target: Path) -> None:
    """Make a growable disk of its own with the content of a disk and its parents; they are only read.

    Raises:
        DiskError: See `create`.
    """
    require_place(target, "")
    split = create_type(disk).startswith("twoGb")
    options = f"subformat={'twoGbMaxExtentSparse' if split else 'monolithicSparse'},adapter_type=lsilogic"
    _qemu_img(["convert", "-f", "vmdk", "-O", "vmdk", "-o", options, str(disk), str(target)], target, "")


def commit(overlay: Path) -> None:
    """Write an overlay's changes into its parent; the overlay is left as it is.

    The parent's check number is another one afterwards.

    Raises:
        DiskError: There is no room, or the chain is broken.
    """
    code, said = run([_tool(), "commit", "-q", "-d", "-f", "vmdk", str(overlay)], _SECONDS)
    if code:
        raise DiskError(_reason(said))


def remove(disk: Path) -> None:
    """Remove a disk with its extents, or any other file; it may not be there."""
    for file in [*extents(disk), disk]:
        file.unlink(missing_ok=True)


def check(disk: Path, failure: str) -> None:
    """Return if the disk is consistent.

    Raises:
        DiskError: It is not.
    """
    code, said = run([_tool(), "check", "-f", "vmdk", str(disk)], _SECONDS)
    # A flat disk has no metadata to check: status 63.
    if code not in (0, 63):
        raise DiskError(failure + said.strip())


def create_type(disk: Path) -> str:
    """Return the VMDK createType; `monolithicSparse` when the file does not say."""
    with disk.open("rb") as stream:
        match = _CREATE_TYPE.search(stream.read(64 * 1024))
    return match[1].decode("ascii") if match else SUBFORMATS["0"]


def virtual_size(disk: Path, failure: str) -> int:
    """Return the size in bytes that a guest sees.

    Raises:
        DiskError: It is no disk.
    """
    code, said = run([_tool(), "info", "--output=json", "-f", "vmdk", str(disk)], 60)
    if code:
        raise DiskError(failure + NOT_A_DISK)
    return int(json.loads(said)["virtual-size"])


def require_disk(disk: Path, failure: str) -> None:
    """Return if the file is a VMDK.

    Raises:
        DiskError: It is absent, or something else.
    """
    if not disk.is_file():
        raise DiskError(failure + NOT_FOUND)
    virtual_size(disk, failure)


def require_place(disk: Path, failure: str) -> None:
    """Return if a disk can be made there.

    Raises:
        DiskError: There is a file already, or no directory for it.
    """
    if disk.exists():
        raise DiskError(failure + EXISTS)
    if not disk.parent.is_dir():
        raise DiskError(failure + NOT_FOUND)


def _qemu_img(words: list[str], target: Path, failure: str) -> None:
    """Run qemu-img; when it fails, remove what it made beside `target`."""
    before = set(target.parent.iterdir())
    code, said = run([_tool(), *words], _SECONDS)
    if code == 0:
        return
    own = re.compile(rf"{re.escape(target.stem)}(-[sf]\d+|-flat)?{re.escape(target.suffix)}")
    for file in set(target.parent.iterdir()) - before:
        if own.fullmatch(file.name):
            file.unlink(missing_ok=True)
    raise DiskError(failure + _reason(said))


def _reason(said: str) -> str:
    known = {errno.ENOSPC: FULL, errno.EACCES: NO_ACCESS, errno.EEXIST: EXISTS, errno.ENOENT: NOT_FOUND}
    for number, text in known.items():
        if os.strerror(number) in said:
            return text
    return said.strip() or INVALID


def _tool() -> str:
    named = os.environ.get("VMRUN_QEMU_BIN", "")
    beside = Path(named).with_name("qemu-img") if named else None
    found = (shutil.which(str(beside)) if beside else None) or shutil.which("qemu-img")
    if found is None:
        raise DiskError("qemu-img is not installed; on Debian and Ubuntu: apt-get install qemu-utils")
    return found
