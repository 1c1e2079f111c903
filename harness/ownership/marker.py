"""Which files of a directory are this lab's: pure rules over names, and the mark that says whose the directory is.

A file is ours when all of this is true:

* the directory carries the mark that was written when the ledger claimed it, with the same token;
* the file was not there at that time;
* its name is one that a hypervisor or this harness gives to a file of that machine; where it is one that every
  machine has, as `vmware.log`, no other machine is in the directory;
* it is a regular file, or a `.lck` directory: hypervisors make no links.

Everything else is somebody else's, stays, and is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from harness.core.files import retry_on_sharing_violation
from harness.core.layout import MARK


class ForeignReason(StrEnum):
    """Why something was left alone."""

    NO_MARK = "this lab did not make it: it does not carry the mark of the run that the ledger names"
    OTHER_MACHINE = "this lab did not create this machine: the VMX in it has another uuid.bios"
    ANOTHERS = "another machine is in this directory too, and a file of that name may be that one's"
    LINK = "it is a link; neither it nor its target is touched"
    WAS_THERE = "it was there before this lab"
    NAME = "no hypervisor gives a file of this machine that name"
    DIRECTORY = "it is a directory"


@dataclass(frozen=True)
class ForeignPath:
    """Something that was left alone, and why."""

    path: Path
    why: ForeignReason

    def __str__(self) -> str:
        return f"{self.path} ({self.why})"


# What a hypervisor calls the same for every machine; VMware names memory by the machine's UUID.
_NAMELESS = re.compile(
    r"(vmware|qemu|supervisor|mksSandbox)(-\d+)?\.log|serial-\d+(-\d+)?\.log|vmrun-qemu\.json|[0-9a-f-]{36}\.vmem\.lck",
    re.IGNORECASE,
)


def owned_name_pattern(name: str) -> re.Pattern[str]:
    """Return the file names that a hypervisor and this harness write into the directory of machine `name`.

    VMware: configuration, descriptors and extents (`-s001`, `-f001`), delta disks (`-000001`), memory (`.vmem`),
    suspend and snapshot state, logs, the lock of each of these, a VMX that is being written. Anything else is somebody
    else's.
    """
    stem = re.escape(name)
    named = (
        rf"{stem}(-[0-9a-f]{{8}})?\.(vmx|vmxf|vmsd|nvram|vmem|vmss|vmx~|scoreboard)|{stem}\.vmx\.\w+\.tmp"
        rf"|{stem}(-\d{{6}})?(-[sf]\d{{3}}|-flat|-delta)?\.vmdk"
        rf"|{stem}-(Snapshot\d+|[0-9a-f]{{8}})\.(vmsn|vmem|vmss)"
    )
    return re.compile(rf"({named})(\.lck)?|{_NAMELESS.pattern}", re.IGNORECASE)


def is_link(path: Path) -> bool:
    """Return whether the last part of the path is a link or, on Windows, a junction."""
    try:
        return path.is_symlink() or path.resolve() != path.parent.resolve() / path.name
    except OSError:
        return True


def foreign_reason(item: Path, name: str, found: Iterable[str]) -> ForeignReason | None:
    """Return why a file in the marked directory of machine `name` is not ours, or None when it is.

    Args:
        item: The file, directly in the machine's directory.
        name: The machine.
        found: The names that were in the directory when it was claimed.
    """
    if item.is_symlink() or (item.is_dir() and is_link(item)):
        return ForeignReason.LINK
    if item.name in found:
        return ForeignReason.WAS_THERE
    if not owned_name_pattern(name).fullmatch(item.name):
        return ForeignReason.NAME
    if _NAMELESS.fullmatch(item.name) and _others_beside(item, name):
        return ForeignReason.ANOTHERS
    if item.is_dir() and not item.name.lower().endswith(".lck"):
        return ForeignReason.DIRECTORY
    return None


def _others_beside(item: Path, name: str) -> bool:
    """Return whether the VMX of a machine of another name is in the directory of that file."""
    ours = owned_name_pattern(name)
    return any(path.suffix.lower() == ".vmx" and not ours.fullmatch(path.name) for path in item.parent.iterdir())


def conflicting_names(names: Iterable[str], machine: str) -> tuple[str, ...]:
    """Return which of the names, found in a directory that is not ours, forbid to make a machine there.

    A VMX or a mark means that somebody's machine lives there; a name that a hypervisor would write is somebody's file.
    """
    ours = owned_name_pattern(machine)
    return tuple(name for name in names if ours.fullmatch(name) or name.lower().endswith((".vmx", ".vmdk", MARK)))


def write_marker(directory: Path, token: str, text: str) -> None:
    """Have the directory say whose it is: whole, or not at all."""
    scratch = directory / f"{MARK}.tmp"
    scratch.write_text(json.dumps({"token": token, "about": text}) + "\n", encoding="utf-8")
    retry_on_sharing_violation(lambda: scratch.replace(directory / MARK))


def read_marker(directory: Path) -> str | None:
    """Return the token in the directory's mark, or None where there is none that can be read."""
    mark = directory / MARK
    if mark.is_symlink():
        return None
    try:
        return str(json.loads(mark.read_text(encoding="utf-8"))["token"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def is_marker(name: str) -> bool:
    """Return whether a file of that name is the mark, or one half written."""
    return name in (MARK, f"{MARK}.tmp")
