"""Ownership of files: name rules and the marker of a VM directory.

A file is ours when all of this is true:

* the directory has the marker that was written when the directory was registered in the ledger, with the same token;
* the file was not there at that time;
* its name is one that a hypervisor or this harness gives to a file of that VM; if every VM has a file of that name,
  as `vmware.log`, no other VM is in the directory; the memory file is that of the VM's `uuid.bios`;
* it is a regular file, or a `.lck` directory with locks alone in it: hypervisors create no links.

Where the file system keeps capital letters apart, a name in other letters is another name.

Every other file is foreign: it is kept and reported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from harness.core.files import is_mount_point, read_regular_file, replace_file, scratch_files_of
from harness.core.json_text import parse_json
from harness.core.layout import MARKER, RECORD
from harness.vmware.file_names import SHARED_NAMES, memory_pattern, named_pattern
from harness.vmware.lock_directory import holds_only_locks


class ForeignReason(StrEnum):
    """Why a file or directory is foreign."""

    NO_MARKER = "this lab did not make it: it does not have the marker of the run that the ledger names"
    OTHER_MACHINE = "this lab did not create this machine: the VMX in it has another uuid.bios"
    SHARED_NAME = "another machine is in this directory too, and the file may belong to that one"
    LINK = "it is a link; neither it nor its target is touched"
    EXISTED = "it was there before this lab"
    NAME = "no hypervisor gives a file of this machine that name"
    DIRECTORY = "it is a directory"
    MOUNT = "another file system or directory is mounted there"
    LOCKS = "there is something else than a hypervisor's locks in it"


@dataclass(frozen=True)
class ForeignPath:
    """A file or directory that was not deleted because it is foreign."""

    path: Path
    why: ForeignReason

    def __str__(self) -> str:
        return f"{self.path} ({self.why})"


# Names that a hypervisor or this harness uses for every VM.
_SHARED = rf"{SHARED_NAMES.pattern}|(qemu|supervisor)(-[0-9]+)?\.log|serial-[0-9]+(-[0-9]+)?\.log|vmrun-qemu\.json"


def owned_name_pattern(name: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    """Return the pattern of the file names of VM `name`.

    These are its own, the shared ones, and the lock of each.
    """
    return re.compile(rf"({named_pattern(name)}|{_SHARED}|{memory_pattern()})(\.lck)?", flags | re.ASCII)


def is_link(path: Path) -> bool:
    """Return whether the path is a link or a junction of Windows."""
    try:
        return path.is_symlink() or path.resolve() != path.parent.resolve() / path.name
    except OSError:
        return True


def foreign_reason(item: Path, name: str, found: Iterable[str], uuid: str = "") -> ForeignReason | None:
    """Return why a file is foreign, or None if it is ours.

    Args:
        item: The file, directly in the directory, which has the marker of this lab.
        name: The VM.
        found: The names that were in the directory when it was registered.
        uuid: The 32 hex digits of the VM's `uuid.bios`; without it the memory file of any VM has a name of this one.
    """
    if item.is_symlink() or (item.is_dir() and is_link(item)):
        return ForeignReason.LINK
    if item.name in found:
        return ForeignReason.EXISTED
    if not _has_name(item, owned_name_pattern(name, 0)):
        return ForeignReason.NAME
    is_memory = _has_name(item, re.compile(rf"{memory_pattern()}(\.lck)?"))
    if is_memory and uuid and not _has_name(item, re.compile(rf"{memory_pattern(uuid)}(\.lck)?")):
        return ForeignReason.NAME
    is_shared = is_memory or _has_name(item, re.compile(rf"({_SHARED})(\.lck)?", re.ASCII))
    if is_shared and _has_other_vm(item.parent, name):
        return ForeignReason.SHARED_NAME
    return _foreign_kind(item)


def _foreign_kind(item: Path) -> ForeignReason | None:
    """Return why a file of our name is foreign by its kind, or None."""
    if is_mount_point(item):
        return ForeignReason.MOUNT
    if not item.is_dir():
        return None
    if not item.name.lower().endswith(".lck"):
        return ForeignReason.DIRECTORY
    return None if holds_only_locks(item) else ForeignReason.LOCKS


def _has_name(item: Path, pattern: re.Pattern[str]) -> bool:
    """Return whether the file has a name of the pattern.

    Capital letters make another name, unless the file system ignores them.
    """
    if pattern.fullmatch(item.name):
        return True
    if not re.compile(pattern.pattern, pattern.flags | re.IGNORECASE).fullmatch(item.name):
        return False
    try:
        return item.with_name(item.name.swapcase()).samefile(item)
    except OSError:
        return False


def _has_other_vm(directory: Path, name: str) -> bool:
    """Return whether the directory has the VMX of another VM."""
    ours = owned_name_pattern(name, 0)
    found = [path for path in directory.iterdir() if path.suffix.lower() in (".vmx", ".vmtx")]
    return any(not _has_name(path, ours) for path in found)


def conflicting_names(names: Iterable[str], machine: str) -> tuple[str, ...]:
    """Return the names that forbid creating a VM in a foreign directory.

    A VMX, a VMDK or a marker means that another VM is there; a file with a name that a hypervisor would write would be
    overwritten.
    """
    ours = owned_name_pattern(machine)
    return tuple(name for name in names if ours.fullmatch(name) or name.lower().endswith((".vmx", ".vmdk", MARKER)))


def write_marker(directory: Path, token: str, text: str) -> None:
    """Write the ownership marker of the directory atomically."""
    replace_file(directory / MARKER, (json.dumps({"token": token, "about": text}) + "\n").encode())


def read_marker(directory: Path) -> str | None:
    """Return the token of the directory's marker, or None without one."""
    marker = directory / MARKER
    if marker.is_symlink():
        return None
    try:
        return str(parse_json(marker.read_text(encoding="utf-8"))["token"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def read_about(directory: Path) -> str:
    """Return the text of the directory's marker for a person.

    Empty without a readable one.
    """
    try:
        return str(parse_json(read_regular_file(directory / MARKER, 1 << 16))["about"])
    except (OSError, ValueError, TypeError, KeyError):
        return ""


def is_marker(item: Path) -> bool:
    """Return whether the file is a marker or record, or was becoming one."""
    if item.name == MARKER or (item.name == RECORD and item.is_file() and not item.is_symlink()):
        return True
    return any(item in scratch_files_of(item.with_name(name)) for name in (MARKER, RECORD))
