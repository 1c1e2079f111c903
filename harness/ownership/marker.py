"""Ownership of files: name rules and the marker of a VM directory.

A file is ours when all of this is true:

* the directory has the marker that was written when the directory was registered in the ledger, with the same token;
* the file was not there at that time;
* its name is one that a hypervisor or this harness gives to a file of that VM; if every VM has a file of that name,
  as `vmware.log`, no other VM is in the directory;
* it is a regular file, or a `.lck` directory: hypervisors create no links.

Every other file is foreign: it is kept and reported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from harness.core.files import retry_on_sharing_violation
from harness.core.layout import MARKER


class ForeignReason(StrEnum):
    """Why a file or directory is foreign."""

    NO_MARKER = "this lab did not make it: it does not have the marker of the run that the ledger names"
    OTHER_MACHINE = "this lab did not create this machine: the VMX in it has another uuid.bios"
    SHARED_NAME = "another machine is in this directory too, and the file may belong to that one"
    LINK = "it is a link; neither it nor its target is touched"
    EXISTED = "it was there before this lab"
    NAME = "no hypervisor gives a file of this machine that name"
    DIRECTORY = "it is a directory"


@dataclass(frozen=True)
class ForeignPath:
    """A file or directory that was not deleted because it is foreign."""

    path: Path
    why: ForeignReason

    def __str__(self) -> str:
        return f"{self.path} ({self.why})"


# Names that a hypervisor uses for every VM; VMware names memory files by the UUID of the VM.
_SHARED_NAMES = re.compile(
    r"(vmware|qemu|supervisor|mksSandbox)(-\d+)?\.log|serial-\d+(-\d+)?\.log|vmrun-qemu\.json|[0-9a-f-]{36}\.vmem\.lck",
    re.IGNORECASE,
)


def owned_name_pattern(name: str) -> re.Pattern[str]:
    """Return the pattern of the file names of VM `name`.

    VMware: configuration, descriptors and extents (`-s001`, `-f001`), delta disks (`-000001`), memory (`.vmem`),
    suspend and snapshot state, logs, the lock of each of these, a VMX that is being written. Any other name is foreign.
    """
    stem = re.escape(name)
    named = (
        rf"{stem}(-[0-9a-f]{{8}})?\.(vmx|vmxf|vmsd|nvram|vmem|vmss|vmx~|scoreboard)|{stem}\.vmx\.\w+\.tmp"
        rf"|{stem}(-\d{{6}})?(-[sf]\d{{3}}|-flat|-delta)?\.vmdk"
        rf"|{stem}-(Snapshot\d+|[0-9a-f]{{8}})\.(vmsn|vmem|vmss)"
    )
    return re.compile(rf"({named})(\.lck)?|{_SHARED_NAMES.pattern}", re.IGNORECASE)


def is_link(path: Path) -> bool:
    """Return whether the path is a link or a junction of Windows."""
    try:
        return path.is_symlink() or path.resolve() != path.parent.resolve() / path.name
    except OSError:
        return True


def foreign_reason(item: Path, name: str, found: Iterable[str]) -> ForeignReason | None:
    """Return why a file is foreign, or None if it is ours.

    Args:
        item: The file, directly in the directory, which has the marker of this lab.
        name: The VM.
        found: The names that were in the directory when it was registered.
    """
    if item.is_symlink() or (item.is_dir() and is_link(item)):
        return ForeignReason.LINK
    if item.name in found:
        return ForeignReason.EXISTED
    if not owned_name_pattern(name).fullmatch(item.name):
        return ForeignReason.NAME
    if _SHARED_NAMES.fullmatch(item.name) and _has_other_vm(item.parent, name):
        return ForeignReason.SHARED_NAME
    if item.is_dir() and not item.name.lower().endswith(".lck"):
        return ForeignReason.DIRECTORY
    return None


def _has_other_vm(directory: Path, name: str) -> bool:
    """Return whether the directory has the VMX of another VM."""
    ours = owned_name_pattern(name)
    return any(path.suffix.lower() == ".vmx" and not ours.fullmatch(path.name) for path in directory.iterdir())


def conflicting_names(names: Iterable[str], machine: str) -> tuple[str, ...]:
    """Return the names that forbid creating a VM in a foreign directory.

    A VMX, a VMDK or a marker means that another VM is there; a file with a name that a hypervisor would write would be
    overwritten.
    """
    ours = owned_name_pattern(machine)
    return tuple(name for name in names if ours.fullmatch(name) or name.lower().endswith((".vmx", ".vmdk", MARKER)))


def write_marker(directory: Path, token: str, text: str) -> None:
    """Write the ownership marker of the directory atomically."""
    scratch = directory / f"{MARKER}.tmp"
    scratch.write_text(json.dumps({"token": token, "about": text}) + "\n", encoding="utf-8")
    retry_on_sharing_violation(lambda: scratch.replace(directory / MARKER))


def read_marker(directory: Path) -> str | None:
    """Return the token of the directory's marker, or None without one."""
    marker = directory / MARKER
    if marker.is_symlink():
        return None
    try:
        return str(json.loads(marker.read_text(encoding="utf-8"))["token"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def is_marker(name: str) -> bool:
    """Return whether the name is of a marker or its scratch file."""
    return name in (MARKER, f"{MARKER}.tmp")
