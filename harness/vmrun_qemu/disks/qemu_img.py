"""Run `qemu-img`; VMware's messages for its failures."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from pathlib import Path

from harness.system.programs import find_program
from harness.vmrun_qemu.base.messages import PowerOnFailure
from harness.vmrun_qemu.base.process import run
from harness.vmrun_qemu.qemu import locate

# Texts and numbers of the VIX catalogue, as vmware-vdiskmanager prints them.
INVALID = "One of the parameters supplied is invalid (0x3e80)."
EXISTS = "The file already exists (0xc)."
NOT_A_DISK = "The specified file is not a virtual disk (0x3ebf)."
NOT_FOUND = "A file was not found (0x4)."
FULL = "There is not enough space in the file system for the selected operation (0x8)."
NO_PARENT = "The parent of this virtual disk could not be opened (0x3e8c)."
PARENT_CHANGED = "The parent virtual disk has been modified since the child was created (0x3e88)."
LOCKED = "Failed to lock the file (0x4009)."
NO_ACCESS = "Insufficient permission to access the file (0xd)."

SECONDS = 3600.0


class DiskError(Exception):
    """Failure of a disk operation; the text is VMware's message."""

    @property
    def plain(self) -> str:
        """The text as `vmrun` prints it: without the number."""
        return re.sub(r" \(0x[0-9a-f]+\)\.$", "", str(self))


def make(arguments: list[str], target: Path, failure: str) -> None:
    """Run qemu-img; delete the files it created for `target` if it fails."""
    before = set(files_of(target))
    code, output = run([tool(), *arguments], SECONDS)
    if code == 0:
        return
    for file in set(files_of(target)) - before:
        file.unlink(missing_ok=True)
    raise DiskError(failure + reason(output))


def files_of(disk: Path) -> list[Path]:
    """Return the existing files of a disk, by qemu-img's names of extents."""
    own = re.compile(rf"{re.escape(disk.stem)}(-[sf]\d+|-flat)?{re.escape(disk.suffix)}")
    return [file for file in disk.parent.iterdir() if own.fullmatch(file.name)] if disk.parent.is_dir() else []


def reason(output: str) -> str:
    """Return VMware's message for an error of qemu-img, else its own output."""
    known = {errno.ENOSPC: FULL, errno.EACCES: NO_ACCESS, errno.EEXIST: EXISTS, errno.ENOENT: NOT_FOUND}
    for number, text in known.items():
        if os.strerror(number) in output:
            return text
    return output.strip() or INVALID


def tool() -> str:
    """Return the `qemu-img` of the QEMU in use, else of `PATH`.

    Raises:
        DiskError: None is installed.
    """
    beside = ""
    with contextlib.suppress(PowerOnFailure):
        beside = str(locate.find().image_tool)
    found = find_program(beside) or find_program("qemu-img")
    if found is None:
        raise DiskError("qemu-img is not installed; on Debian and Ubuntu: apt-get install qemu-utils")
    return found
