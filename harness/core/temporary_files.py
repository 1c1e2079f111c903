"""New files and directories with a random name.

The directory may refuse them.

`tempfile` takes Windows' "access denied" for "the name is taken", and tries 2,147,483,647 names (CPython before 3.13,
cpython#66305): in a directory that may not be written it hangs for ever. These functions try a few names and raise.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_ATTEMPTS = 8
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)


def create_file(directory: Path, prefix: str, suffix: str = "", *, flags: int = 0) -> tuple[int, Path]:
    """Create a file that did not exist; return its descriptor and path.

    Args:
        directory: Where the file is created.
        prefix: How its name begins.
        suffix: How its name ends.
        flags: More flags of `os.open`.

    Raises:
        OSError: It cannot be created.
    """
    return _with_new_name(directory, prefix, suffix, lambda path: os.open(path, _FLAGS | flags, 0o600))


def check_writable(directory: Path) -> bool:
    """Create and delete a file in a directory; return True.

    Raises:
        OSError: The directory takes no file.
    """
    if not directory.is_dir():  # Windows would report that the new file does not exist
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(directory))
    # With O_TEMPORARY Windows deletes the file when it is closed.
    temporary = getattr(os, "O_TEMPORARY", 0)
    handle, path = create_file(directory, ".lab-write-test-", flags=temporary)
    os.close(handle)
    if not temporary:
        path.unlink(missing_ok=True)
    return True


@contextlib.contextmanager
def temporary_directory(directory: Path, prefix: str) -> Iterator[Path]:
    """Create a directory; delete it with its content at the end (best effort).

    Raises:
        OSError: It cannot be created.
    """
    _, path = _with_new_name(directory, prefix, "", lambda path: path.mkdir(mode=0o700))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if path.exists():  # a directory in it may not be written
            for folder, _, _ in os.walk(path):
                with contextlib.suppress(OSError):
                    Path(folder).chmod(0o700)
            shutil.rmtree(path, ignore_errors=True)


def _with_new_name(directory: Path, prefix: str, suffix: str, create: Callable[[Path], T]) -> tuple[T, Path]:
    for attempt in range(1, _ATTEMPTS + 1):
        path = directory / f"{prefix}{secrets.token_hex(6)}{suffix}"
        try:
            return create(path), path
        except FileExistsError:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")
