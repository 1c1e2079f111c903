"""The `.lck` directory of an open file, and VMware's locks in it.

`M12345.lck` is a lock, `E12345.lck` one that is being made, each at most 512 bytes long; `D12345.lck` is an empty
directory that a program holds while it chooses its number.
Source: open-vm-tools, lib/file/fileLockPrimitive.c, `FileLockValidName` and `FILELOCK_DATA_SIZE`.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from harness.core.files import is_mount_point

_MEMBER = re.compile(r"[MDE][0-9]{5}\.lck")
_LONGEST = 4096


def holds_only_locks(directory: Path) -> bool:
    """Return whether there is nothing but VMware's locks in it.

    A link, a mount point, and what cannot be looked at are none.
    """
    try:
        if directory.is_symlink() or is_mount_point(directory):
            return False
        return all(_is_lock(item) for item in directory.iterdir())
    except OSError:
        return False


def remove_lock_directory(directory: Path) -> None:
    """Delete VMware's locks in it, and the directory if it is empty then.

    Raises:
        OSError: A lock could not be deleted, or the directory has something else in it.
    """
    for item in list(directory.iterdir()) if holds_only_locks(directory) else ():
        if item.is_dir():
            item.rmdir()
        else:
            item.unlink(missing_ok=True)
    directory.rmdir()


def _is_lock(item: Path) -> bool:
    if not _MEMBER.fullmatch(item.name):
        return False
    found = item.lstat()
    if stat.S_ISDIR(found.st_mode):
        return item.name.startswith("D") and not os.listdir(item)  # noqa: PTH208  (names alone)
    return stat.S_ISREG(found.st_mode) and found.st_size <= _LONGEST
