"""Refuse files that another user of the host could have written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from harness.core.errors import HostError


def require_trusted(path: Path, below: Path) -> None:
    """Check that only this user or root may write a file.

    So it is for its directories up to `below`.

    In a directory with the sticky bit, such as `/tmp`, no user replaces what another one owns. A group with the number
    of the user is that user's own. On Windows the access list of the profile decides, and nothing is checked.

    Raises:
        HostError: Another user owns one of them, or may write it.
    """
    if os.name == "nt":
        return
    for item in _up_to(path, below):
        for found in (item.lstat(), item.stat()):
            problem = _problem(found)
            if problem:
                raise HostError(
                    f"not used, because {problem}",
                    where=str(item),
                    remedy=f"delete it and run `lab setup` and `lab seed` again, or set LAB_CACHE_DIR to a directory "
                    f"of your own; if it is yours: chmod -R go-w '{below}'",
                )


def _up_to(path: Path, below: Path) -> Iterable[Path]:
    yield path
    for folder in path.parents:
        if not folder.is_relative_to(below):
            return
        yield folder


def _problem(found: os.stat_result) -> str:
    if found.st_uid not in (0, os.geteuid()):
        return f"another user (uid {found.st_uid}) owns it"
    own_group = found.st_gid == found.st_uid
    shared = found.st_mode & (stat.S_IWOTH if own_group else stat.S_IWOTH | stat.S_IWGRP)
    if (
        shared
        and not stat.S_ISLNK(found.st_mode)
        and not (stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX)
    ):
        return "other users may write it"
    return ""
