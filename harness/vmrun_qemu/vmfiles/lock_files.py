"""The `.lck` directories that VMware keeps beside the files of a running machine.

`<file>.lck/` is a directory, and in it lies `M<number>.lck`, whose text ends with `<pid>-<time>(<program>)`: the mutual
exclusion between homes. Whoever has written one looks whether another is there as well, and steps back if so. A lock of
ours whose process is gone is stale and is removed; one that some other program wrote is never touched.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from harness.system.process_identity import Identity, alive

_FILLING_S = 10.0
_OWNER = re.compile(r"(\d+)-(\d+(?:\.\d+)?)\(vmrun-qemu\)\s*$")


def take(files: Iterable[Path], owner: Identity) -> list[Path]:
    """Make the `.lck` directory of each file for `owner`; return them, or raise and leave none of them behind.

    Raises:
        FileExistsError: Somebody else holds one of the files.
        OSError: The directory cannot be written.
    """
    folders = [file.with_name(file.name + ".lck") for file in files]
    for done, folder in enumerate(folders):
        try:
            _take_one(folder, owner)
        except OSError:
            release(folders[:done], owner)
            raise
    return folders


def is_held(file: Path) -> bool:
    """Return whether somebody, under any home or with any program, has the file locked."""
    folder = file.with_name(file.name + ".lck")
    return folder.is_dir() and _stale(folder) is None


def release(folders: Iterable[Path], owner: Identity) -> None:
    """Remove the locks that `owner` has in those directories, and each directory that is empty then."""
    for folder in folders:
        _remove(folder, [lock for lock in _locks(folder) if _owner(lock) == owner])


def release_stale(file: Path) -> None:
    """Remove the `.lck` directory of a file when nobody is behind it any more."""
    folder = file.with_name(file.name + ".lck")
    stale = _stale(folder) if folder.is_dir() else None
    if stale is not None:
        _remove(folder, stale)


def _take_one(folder: Path, owner: Identity) -> None:
    try:
        folder.mkdir()
    except FileExistsError:
        stale = _stale(folder)
        if stale is None:
            raise
        _remove(folder, stale)
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
    """Remove those locks, whose names are never used again, and the directory if nothing else is in it."""
    with contextlib.suppress(OSError):
        for lock in locks:
            lock.unlink(missing_ok=True)
        folder.rmdir()


def _locks(folder: Path) -> list[Path]:
    return list(folder.glob("M*.lck"))


def _stale(folder: Path) -> list[Path] | None:
    """Return the locks of those who are gone, or None when somebody is behind the directory.

    That is somebody who lives, or another program, or one yet unknown.
    """
    locks = _locks(folder)
    return None if any(map(_is_owned, locks)) or (not locks and _is_young(folder)) else locks


def _is_owned(lock: Path) -> bool:
    """Return whether somebody is behind the lock; who cannot be read may be somebody."""
    try:
        text = lock.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return False  # it was released just now
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
    """Return whose lock that is; None for one of another program."""
    match = _OWNER.search(text)
    return {"pid": int(match[1]), "created": float(match[2])} if match else None


def _is_young(path: Path) -> bool:
    """Return whether what is empty may be about to be filled; a crash can have left it so as well."""
    try:
        return time.time() - path.stat().st_mtime < _FILLING_S
    except OSError:
        return False
