"""Find programs by name, never in the working directory.

Windows looks there first, for each program that is named without a directory: in a directory that others may write,
their program would run in the place of ours.
"""

from __future__ import annotations

import ntpath
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_ENDINGS = ".COM;.EXE;.BAT;.CMD"


def find_program(
    name: str, *, path: str | None = None, platform: str = sys.platform, environ: Mapping[str, str] = os.environ
) -> str | None:
    """Return the path of a program, or None.

    Args:
        name: Its name, which is searched on PATH, or a path.
        path: The directories to search, in the place of PATH.
        platform: That of this host.
        environ: The variables of this process.
    """
    if platform != "win32":
        return shutil.which(name, path=path)
    endings = [ending.lower() for ending in (environ.get("PATHEXT") or _ENDINGS).split(";") if ending]
    names = [name] if ntpath.splitext(name)[1].lower() in endings else [name + ending for ending in endings]
    if ntpath.basename(name) != name:
        return next((found for found in names if os.path.isfile(found)), None)  # noqa: PTH113  (a text, as it is given)
    folders = (environ.get("PATH", "") if path is None else path).split(";")
    places = [Path(folder.strip('"')) / found for folder in folders if folder for found in names]
    return next((str(place) for place in places if place.is_file()), None)


def located(words: Sequence[str], platform: str = sys.platform) -> tuple[str, ...]:
    """Return a command line whose program Windows need not search.

    Raises:
        FileNotFoundError: PATH has no such program.
    """
    if platform != "win32":
        return tuple(words)
    program = find_program(words[0], platform=platform)
    if program is None:
        raise FileNotFoundError(2, "File not found", words[0])
    return (program, *words[1:])
