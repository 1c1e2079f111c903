"""Disk space that files take on this host."""

from __future__ import annotations

import os
from pathlib import Path


def directory_bytes(directory: Path) -> int:
    """Return the bytes that the files below a directory take.

    These are allocated blocks where the system counts them, otherwise the lengths of the files.

    Raises:
        OSError: A file in it cannot be examined.
    """
    return sum(_allocated(path.lstat()) for path in directory.rglob("*") if path.is_file())


def _allocated(stat: os.stat_result) -> int:
    blocks: int | None = getattr(stat, "st_blocks", None)  # POSIX only, in units of 512 bytes
    return stat.st_size if blocks is None else blocks * 512
