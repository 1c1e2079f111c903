"""The `.lck` directories that VMware keeps beside the files of a running machine.

`<file>.lck/` is a directory; making it is atomic, so it is also the mutual exclusion between homes. In it lies
`M<number>.lck`, whose text ends with `<pid>-<time>(<program>)`. A directory of ours whose process is gone is stale and
is replaced; one that some other program wrote is never touched.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from harness.vmrun_qemu.pids import Identity, alive

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
            release(folders[:done])
            raise
    return folders


def is_held(file: Path) -> bool:
    """Return whether somebody, under any home or with any program, has the file locked."""
    folder = file.with_name(file.name + ".lck")
    return folder.is_dir() and _held(folder)


def release(folders: Iterable[Path]) -> None:
    """Remove the `.lck` directories."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def release_stale(file: Path) -> None:
    """Remove the `.lck` directory of a file when nobody is behind it any more."""
    folder = file.with_name(file.name + ".lck")
    if folder.is_dir() and not _held(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _take_one(folder: Path, owner: Identity) -> None:
    try:
        folder.mkdir()
    except FileExistsError:
        if _held(folder):
            raise
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    lock = folder / f"M{secrets.randbelow(90000) + 10000}.lck"
    try:
        lock.write_text(f"vmrun-qemu {owner['pid']}-{owner['created']}(vmrun-qemu)\n", encoding="utf-8")
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _held(folder: Path) -> bool:
    """Return whether somebody is behind the directory: somebody who lives, or another program, or one yet unknown."""
    locks = list(folder.glob("M*.lck"))
    return any(map(_is_owned, locks)) or (not locks and _is_young(folder))


def _is_owned(lock: Path) -> bool:
    try:
        text = lock.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False  # it was released just now
    match = _OWNER.search(text)
    if match:
        return alive({"pid": int(match[1]), "created": float(match[2])})
    return bool(text) or _is_young(lock)


def _is_young(path: Path) -> bool:
    """Return whether what is empty may be about to be filled; a crash can have left it so as well."""
    try:
        return time.time() - path.stat().st_mtime < _FILLING_S
    except OSError:
        return False
