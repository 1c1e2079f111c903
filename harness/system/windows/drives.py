"""The drives of a Windows host, as this process sees them.

A mapped network drive belongs to a logon session: the prompt of an administrator does not see those of the user.
"""

from __future__ import annotations

import ctypes
import shutil
import string
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PureWindowsPath

# Values of GetDriveTypeW.
_KINDS = {2: "removable", 3: "", 4: "network", 5: "CD", 6: "RAM disk"}


@dataclass(frozen=True)
class Drive:
    """A drive.

    Attributes:
        name: As `C:`.
        kind: `removable`, `network`, `CD`, `RAM disk`; empty for a fixed disk.
        free_gib: Free space; None if unknown.
    """

    name: str
    kind: str
    free_gib: int | None

    def __str__(self) -> str:
        """Return `C: 58 GiB free`, `D: (CD)`."""
        free = "" if self.free_gib is None else f" {self.free_gib} GiB free"
        return f"{self.name}{free}" + (f" ({self.kind})" if self.kind else "")


def drives() -> tuple[Drive, ...]:
    """Return the drives of this host.

    Raises:
        OSError: Windows does not list them, or this is not Windows.
    """
    if sys.platform != "win32":
        raise OSError("only Windows has drives of this kind")
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    mask = int(kernel.GetLogicalDrives())
    if not mask:
        raise ctypes.WinError(ctypes.get_last_error())
    return drives_of(mask, lambda root: int(kernel.GetDriveTypeW(ctypes.c_wchar_p(root))), _free_bytes)


def drives_of(mask: int, kind_of: Callable[[str], int], free_of: Callable[[str], int]) -> tuple[Drive, ...]:
    """Return the drives of a bit mask of GetLogicalDrives.

    Args:
        mask: Bit 0 is A:.
        kind_of: GetDriveTypeW, for a root such as `C:\\`.
        free_of: The free bytes of a root; an OSError means unknown.
    """
    found = []
    for bit, letter in enumerate(string.ascii_uppercase):
        if mask >> bit & 1:
            root = f"{letter}:\\"
            try:
                free = free_of(root) >> 30
            except OSError:
                free = None
            found.append(Drive(f"{letter}:", _KINDS.get(kind_of(root), "unknown kind"), free))
    return tuple(found)


def missing_drive(path: str, present: Sequence[Drive]) -> str:
    """Return that the drive of a path does not exist, or nothing.

    Args:
        path: A path of Windows; one without a drive letter is on no drive.
        present: The drives; without one nothing is known.
    """
    name = PureWindowsPath(path).drive.upper()
    if not name.endswith(":") or not present or name in {drive.name for drive in present}:
        return ""
    listed = ", ".join(map(str, present))
    return f"drive {name} does not exist; present: {listed}; mapped drives are not visible in an administrator's prompt"


def _free_bytes(root: str) -> int:
    return shutil.disk_usage(root).free
