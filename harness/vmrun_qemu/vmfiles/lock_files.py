"""VMware's lock directories (`.lck`) beside the files of a running VM.

`<file>.lck/` is a directory with a file `M<number>.lck`, whose text ends with `<pid>-<time>(<program>)`. It is the
mutual exclusion between homes. After writing its file a process checks for another one, and releases its own if there
is. A lock of this program whose process has ended is stale and is removed; one of another program is never touched.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from harness.system.process_identity import Identity, alive

FindStale = Callable[[Path], list[Path] | None]

_FILLING_S = 10.0
_OWNER = re.compile(r"(?<![0-9])([0-9]{1,10})-([0-9]+(?:\.[0-9]+)?)\(vmrun-qemu\)\s*$")


def stale_locks(folder: Path) -> list[Path] | None:
    """Return the locks in the directory if all are stale, else None.

    A lock is not stale if its process lives, belongs to another program, or is not known yet.
    """
    locks = _locks(folder)
    return None if any(map(_is_owned, locks)) or (not locks and _is_young(folder)) else locks


def take(files: Iterable[Path], owner: Identity, stale: FindStale = stale_locks) -> list[Path]:
    """Lock all files for `owner`, or none; return the lock directories.

    `stale` finds the locks of another process that may be removed.

    Raises:
        FileExistsError: Another process holds one of the files.
        OSError: The directory cannot be written.
    """
    folders = [file.with_name(file.name + ".lck") for file in files]
    for done, folder in enumerate(folders):
        try:
            _take_one(folder, owner, stale)
        except OSError:
            release(folders[:done], owner)
            raise
    return folders


def is_held(file: Path) -> bool:
    """Return whether any program holds a lock on the file."""
    folder = file.with_name(file.name + ".lck")
    return folder.is_dir() and stale_locks(folder) is None


def release(folders: Iterable[Path], owner: Identity) -> None:
    """Remove the locks of `owner`, and each directory that becomes empty."""
    for folder in folders:
        _remove(folder, [lock for lock in _locks(folder) if _owner(lock) == owner])


def release_stale(file: Path) -> None:
    """Remove a file's lock directory if all its locks are stale."""
    folder = file.with_name(file.name + ".lck")
    stale = stale_locks(folder) if folder.is_dir() else None
    if stale is not None:
        _remove(folder, stale)


def _take_one(folder: Path, owner: Identity, stale: FindStale) -> None:
    try:
        folder.mkdir()
    except FileExistsError:
        removable = stale(folder)
        if removable is None:
            raise
        _remove(folder, removable)
        folder.mkdir(exist_ok=True)
    mine = folder / f"M{secrets.randbelow(90000) + 10000}.lck"
    try:
        mine.write_text(f"vmrun-qemu {owner['pid']}-{owner['created']}(vmrun-qemu)\n", encoding="utf-8")
        if any(_is_owned(lock) for lock in _locks(folder) if lock != mine):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))
    except OSError:
        _remove(folder, [mine])
        raise


def _remove(folder: Path, locks: Iterable[Path]) -> None:
    """Remove these locks, and the directory if it is empty then.

    The names of locks are never used again.
    """
    with contextlib.suppress(OSError):
        for lock in locks:
            lock.unlink(missing_ok=True)
        folder.rmdir()


def _locks(folder: Path) -> list[Path]:
    return list(folder.glob("M*.lck"))


def _is_owned(lock: Path) -> bool:
    """Return whether the owner of the lock lives or may live."""
    try:
        text = lock.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return False  # it has just been released
    except OSError:
        return True
    owner = _owner_in(text)
    return alive(owner) if owner else bool(text) or _is_young(lock)


def _owner(lock: Path) -> Identity | None:
    try:
        return _owner_in(lock.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None


def _owner_in(text: str) -> Identity | None:
    """Return the owner of a lock; None for one of another program."""
    match = _OWNER.search(text)
    return {"pid": int(match[1]), "created": float(match[2])} if match else None


def _is_young(path: Path) -> bool:
    """Return whether an empty lock is recent.

    Its owner may be about to write it; a crash can have left it empty as well.
    """
    try:
        return time.time() - path.stat().st_mtime < _FILLING_S
    except OSError:
        return False
