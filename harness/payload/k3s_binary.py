"""Read from a k3s binary what it is, without running it."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

_ELF = b"\x7fELF\x02\x01"  # 64 bits, little-endian
_X86_64 = b"\x3e\x00"  # `e_machine`, at offset 18
_RELEASE = re.compile(rb"v[0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}(?:-(?:alpha|beta|rc)[0-9.]{1,4})?\+k3s[0-9](?:-[a-z-]+)?")


def binary_problem(path: Path) -> str:
    """Return why a file cannot run in a guest, or nothing.

    A script counts as a program: it names its interpreter in its first line.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        head = stream.read(20)
    if head.startswith(b"#!") or (head.startswith(_ELF) and head[18:20] == _X86_64):
        return ""
    if head.startswith(b"\x7fELF"):
        return "is a program for another processor than x86-64"
    return "is no program of Linux"


def k3s_version(path: Path) -> str:
    """Return the release that a binary carries, as `v1.33.4+k3s1`.

    It stands there as text. Empty if it is not known: there is none, or there are several.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        if not stream.seek(0, 2):
            return ""
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            found = {match.group() for match in _RELEASE.finditer(content)}
    return found.pop().decode("ascii") if len(found) == 1 else ""
