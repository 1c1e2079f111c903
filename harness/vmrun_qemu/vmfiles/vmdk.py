"""A VMDK's words about itself and its parent, read and changed in place.

A descriptor is text. It is the file itself for a disk of several files, and lies inside the file, behind a header with
the magic `KDMV`, for a disk of one file ("Virtual Disk Format 5.0", VMware technical note of 2011). A disk with a
parent names the parent's file in `parentFileNameHint` (relative to its own directory) and the parent's content in
`parentCID`: a parent whose `CID` is another one has been written to since, and QEMU and VMware both refuse the chain.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from harness.vmrun_qemu.base.messages import Failure

_MAGIC = b"KDMV"
# SparseExtentHeader: magic, version, flags, capacity, grainSize, descriptorOffset, descriptorSize (in sectors).
_HEADER = struct.Struct("<4sIIQQQQ")
_SECTOR = 512
_LIMIT = 1 << 20
_CREATE_TYPE = re.compile(r"^createType=[^\r\n]*", re.MULTILINE)
_BEGIN = "# Disk DescriptorFile"


class VmdkError(Failure):
    """A file that is no VMDK, or has no room for what is to be written."""


@dataclass(frozen=True)
class Descriptor:
    """The text, and where it lies: `room` bytes from `offset`, or the whole file where `room` is 0."""

    text: str
    offset: int = 0
    room: int = 0

    def get(self, key: str) -> str:
        """Return a setting; empty when there is none."""
        match = re.search(rf'^{re.escape(key)}\s*=\s*"?([^"\r\n]*)"?\s*$', self.text, re.MULTILINE | re.IGNORECASE)
        return match[1] if match else ""

    def having(self, key: str, value: str, *, quoted: bool) -> Descriptor:
        """Return the descriptor with that setting, in its old place or behind `createType`."""
        line = f'{key}="{value}"' if quoted else f"{key}={value}"
        pattern = re.compile(rf"^{re.escape(key)}\s*=[^\r\n]*", re.MULTILINE | re.IGNORECASE)
        if pattern.search(self.text):
            text = pattern.sub(lambda _: line, self.text, count=1)
        else:
            text = _CREATE_TYPE.sub(lambda match: f"{match[0]}\n{line}", self.text, count=1)
        return Descriptor(text, self.offset, self.room)


def read(disk: Path) -> Descriptor:
    """Return the descriptor of a disk.

    Raises:
        VmdkError: It is none.
        OSError: It cannot be read.
    """
    with disk.open("rb") as stream:
        head = stream.read(_HEADER.size)
        if head[:4] != _MAGIC:
            text = (head + stream.read(_LIMIT)).decode("utf-8", "surrogateescape")
            if not text.lstrip().startswith(_BEGIN):
                raise VmdkError(f"{disk.name} is not a virtual disk")
            return Descriptor(text)
        if len(head) < _HEADER.size:
            raise VmdkError(f"{disk.name} is cut off")
        *_, offset, size = _HEADER.unpack(head)
        room = size * _SECTOR
        if not 0 < room <= _LIMIT:
            raise VmdkError(f"{disk.name} has no descriptor")
        stream.seek(offset * _SECTOR)
        text = stream.read(room).split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
    return Descriptor(text, offset * _SECTOR, room)


def write(disk: Path, descriptor: Descriptor) -> None:
    """Have the descriptor on disk.

    Raises:
        VmdkError: It has no room inside the file.
        OSError: It cannot be written.
    """
    data = descriptor.text.encode("utf-8", "surrogateescape")
    if not descriptor.room:
        beside = disk.with_name(disk.name + ".tmp")
        beside.write_bytes(data)
        beside.replace(disk)
        return
    if len(data) >= descriptor.room:
        raise VmdkError(f"{disk.name}: the descriptor has {descriptor.room} bytes, {len(data)} are needed")
    with disk.open("r+b") as stream:
        stream.seek(descriptor.offset)
        stream.write(data.ljust(descriptor.room, b"\0"))
        stream.flush()
        os.fsync(stream.fileno())


def parent_of(disk: Path) -> Path | None:
    """Return the disk that this one is a change of; None for a disk of its own, and for what is no VMDK."""
    try:
        hint = read(disk).get("parentFileNameHint")
    except (VmdkError, OSError):
        return None
    return disk.parent / hint if hint else None


def overlays_of(disk: Path) -> list[Path]:
    """Return the disks in the same directory that build on this one."""
    return [other for other in disk.parent.glob("*.vmdk") if parent_of(other) == disk]


def link(disk: Path, parent: Path) -> None:
    """Have the disk name `parent`, as it is now, as its parent.

    Raises:
        VmdkError: One of them is no VMDK, or the name has no room.
        OSError: One of them cannot be read or written.
    """
    hint = parent.name if parent.parent == disk.parent else str(parent)
    now = read(disk)
    linked = now.having("parentCID", read(parent).get("CID"), quoted=False)
    linked = linked.having("parentFileNameHint", hint, quoted=True)
    if linked != now:
        write(disk, linked)


def take_over(disk: Path, other: Path) -> None:
    """Have the disk pass for `other` with those who name that as their parent, because its content is the same."""
    write(disk, read(disk).having("CID", read(other).get("CID"), quoted=False))
