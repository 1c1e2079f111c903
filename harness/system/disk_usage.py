"""Disk space that files take on this host."""

from __future__ import annotations

from pathlib import Path

from harness.core.files import allocated_bytes


def directory_bytes(directory: Path) -> int:
    """Return the bytes that the files below a directory take.

    These are allocated blocks where the system counts them, otherwise the lengths of the files.

    Raises:
        OSError: A file in it cannot be examined.
    """
    return sum(allocated_bytes(path.lstat()) for path in directory.rglob("*") if path.is_file())
