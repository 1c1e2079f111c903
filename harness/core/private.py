"""Directories and files that only this user may read, on POSIX.

On Windows they keep the access list that they inherit. Seeds hold private host keys of guests, disks whatever is in a
guest; both are as large as they are and cannot be encrypted.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


def make_private_directory(path: Path) -> None:
    """Create a directory and its missing parents, each for this user only.

    An existing directory keeps its mode: it may be shared on purpose.

    Raises:
        OSError: One cannot be created.
    """
    missing = [folder for folder in (path, *path.parents) if not os.path.lexists(folder)]
    for folder in reversed(missing):
        if os.name == "nt":
            folder.mkdir(exist_ok=True)
        else:
            folder.mkdir(mode=0o700, exist_ok=True)
    path.mkdir(exist_ok=True)  # an error where a file is in its place


def keep_file_private(path: Path) -> None:
    """Take a regular file of this user away from others; leave anything else.

    Best effort: a file system without modes refuses.
    """
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        found = path.lstat()
        if stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) & 0o077 and found.st_uid == os.geteuid():
            path.chmod(0o600)
