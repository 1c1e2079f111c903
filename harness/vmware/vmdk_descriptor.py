"""VMDK descriptors: parse, edit in place, and follow to the parent.

A descriptor is text. It is the file itself for a disk of several files, and lies inside the file, behind a header with
the magic `KDMV`, for a disk of one file ("Virtual Disk Format 5.0", VMware technical note of 2011). A disk with a
parent names the parent's file in `parentFileNameHint` (relative to its own directory) and the parent's content in
`parentCID`: a parent whose `CID` is another one has been written to since, and QEMU and VMware both refuse the chain.
"""

from __future__ import annotations

import locale
import os
import re
import struct
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core.files import open_regular_file, replace_file
from harness.vmware import charsets

SECTOR = 512
MAGIC = b"KDMV"
# SparseExtentHeader: magic, version, flags, capacity, grainSize, descriptorOffset, descriptorSize (in sectors).
HEADER = struct.Struct("<4sIIQQQQ")
_LIMIT = 1 << 20
# The names that VMware gives to pieces.
_PIECE = re.compile(r"-(flat|[sf]\d{3,})\.vmdk$", re.IGNORECASE)
_BEGIN = b"# Disk DescriptorFile"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CREATE_TYPE = re.compile(r"^createType=[^\r\n]*", re.MULTILINE)
_ENCODING = re.compile(rb'^[ \t]*+encoding[ \t]*+=[ \t]*+"?([\w.-]+)', re.MULTILINE | re.IGNORECASE)
# A device of the host has more behind its name; a piece of zeros has no name.
_EXTENT = re.compile(
    r'^[ \t]*+(RW|RDONLY|NOACCESS)[ \t]++([0-9]{1,18})[ \t]++(\w++)(?:[ \t]+"([^"\r\n]+)"[^\r\n]*)?[ \t]*\r?$',
    re.MULTILINE,
)


class VmdkError(ValueError):
    """A VMDK whose descriptor is missing or cannot be read or written.

    Attributes:
        reason: The continuation of "the disk …".
    """

    def __init__(self, disk: Path, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{disk.name} {reason}")


@dataclass(frozen=True)
class Extent:
    """One piece of a disk.

    Attributes:
        name: Its file, relative to the descriptor; None for a piece of zeros.
    """

    access: str
    sectors: int
    kind: str
    name: str | None


@dataclass(frozen=True)
class Descriptor:
    """The text of a descriptor and its place in the file.

    Attributes:
        room: The number of bytes for it from `offset`; 0 if it is the whole file.
        charset: The charset of the text, used to write it too.
    """

    text: str
    offset: int = 0
    room: int = 0
    charset: str = "utf-8"

    @property
    def is_embedded(self) -> bool:
        """Whether the descriptor lies inside the disk's own file."""
        return self.room > 0

    @property
    def extents(self) -> tuple[Extent, ...]:
        """The pieces of the disk, in their order."""
        rows = _EXTENT.findall(self.text)
        return tuple(Extent(access, int(sectors), kind, name or None) for access, sectors, kind, name in rows)

    def get(self, key: str) -> str:
        """Return a setting; empty when there is none."""
        values = (match[1].strip() for match in _line_of(key).finditer(self.text))
        plain = (value.removeprefix('"').removesuffix('"') for value in values)
        return next((value for value in plain if '"' not in value), "")

    def with_setting(self, key: str, value: str, *, quoted: bool) -> Descriptor:
        """Return the descriptor with that setting, in place or after `createType`."""
        line = f'{key}="{value}"' if quoted else f"{key}={value}"
        pattern = _line_of(key)
        if pattern.search(self.text):
            text = pattern.sub(lambda _: line, self.text, count=1)
        else:
            text = _CREATE_TYPE.sub(lambda match: f"{match[0]}\n{line}", self.text, count=1)
        return replace(self, text=text)


def read(disk: Path) -> Descriptor:
    """Parse the descriptor of a disk.

    Raises:
        VmdkError: The file is no VMDK, or a piece of one.
        OSError: It cannot be read.
    """
    with open_regular_file(disk) as stream:
        head = stream.read(HEADER.size)
        if not head.startswith(MAGIC):
            data = head + stream.read(_LIMIT)
            if not data.removeprefix(_BYTE_ORDER_MARK).lstrip().startswith(_BEGIN):
                raise VmdkError(disk, "does not begin with a VMDK descriptor")
            text, charset = _decode(data)
            return Descriptor(text, charset=charset)
        if len(head) < HEADER.size:
            raise VmdkError(disk, "ends inside its header")
        *_, offset, size = HEADER.unpack(head)
        room, length = size * SECTOR, os.fstat(stream.fileno()).st_size
        if not 0 < room <= _LIMIT or offset * SECTOR >= length:
            raise VmdkError(disk, "is a piece of a disk, or its header is damaged")
        stream.seek(offset * SECTOR)
        text, charset = _decode(stream.read(room).split(b"\0", 1)[0])
    return Descriptor(text, offset * SECTOR, room, charset)


def _line_of(key: str) -> re.Pattern[str]:
    """Return the pattern of a setting's line; the group is its value."""
    return re.compile(rf"^[ \t]*+{re.escape(key)}[ \t]*+=([^\r\n]*)", re.MULTILINE | re.IGNORECASE)


def write(disk: Path, descriptor: Descriptor) -> None:
    """Write the descriptor in its place.

    Raises:
        VmdkError: It has no room inside the file.
        OSError: It cannot be written.
    """
    data = descriptor.text.encode(descriptor.charset, "surrogateescape")
    if not descriptor.is_embedded:
        replace_file(disk, data)
        return
    if len(data) >= descriptor.room:
        raise VmdkError(disk, f"has {descriptor.room} bytes for its descriptor, {len(data)} are needed")
    with disk.open("r+b") as stream:
        stream.seek(descriptor.offset)
        stream.write(data.ljust(descriptor.room, b"\0"))
        stream.flush()
        os.fsync(stream.fileno())


def sparse_sectors(extent: Path) -> int | None:
    """Return the capacity of a sparse extent, or None without its header.

    Raises:
        OSError: The file cannot be read.
    """
    with open_regular_file(extent) as stream:
        head = stream.read(HEADER.size)
    if len(head) < HEADER.size or not head.startswith(MAGIC):
        return None
    return int(HEADER.unpack(head)[3])


def parent_of(disk: Path) -> Path | None:
    """Return the parent of a disk; None without one, or without the disk.

    Raises:
        VmdkError: It is no disk: whether it has a parent is not known.
        OSError: It cannot be read.
    """
    try:
        hint = read(disk).get("parentFileNameHint")
    except (FileNotFoundError, NotADirectoryError):
        return None
    return disk.parent / hint if hint else None


def overlays_of(disk: Path) -> list[Path]:
    """Return the disks in the same directory whose parent is this one.

    Raises:
        VmdkError: Another disk cannot be read: whether it is an overlay is not known. A piece of a disk is none.
    """
    wanted, pieces = disk.resolve(), set[str]()
    found, unknown = list[Path](), dict[Path, Exception]()
    for file in (file for file in disk.parent.iterdir() if file.suffix.lower() == ".vmdk"):
        try:
            descriptor = read(file)
            hint = descriptor.get("parentFileNameHint")
            found += [file] if hint and (file.parent / hint).resolve() == wanted else []
        except (OSError, ValueError) as error:  # also a parent whose name has a NUL
            unknown[file] = error
        else:
            pieces |= {(extent.name or "").lower() for extent in descriptor.extents}
    for file, why in unknown.items():
        if file.name.lower() not in pieces and not _PIECE.search(file.name):
            raise VmdkError(file, f"cannot be read: whether it is an overlay of {disk.name} is not known") from why
    return found


def set_parent(disk: Path, parent: Path) -> None:
    """Write `parent`, with its present content, as the parent of the disk.

    Raises:
        VmdkError: One of them is no VMDK, or the name has no room.
        OSError: One of them cannot be read or written.
    """
    hint = parent.name if parent.parent == disk.parent else str(parent)
    now = read(disk)
    linked = now.with_setting("parentCID", read(parent).get("CID"), quoted=False)
    linked = linked.with_setting("parentFileNameHint", hint, quoted=True)
    if linked != now:
        write(disk, linked)


def copy_content_id(source: Path, target: Path) -> None:
    """Copy the content id (CID) between disks of the same content.

    Overlays of `source` then accept `target` as their parent.

    Raises:
        VmdkError: One of them is no VMDK.
        OSError: One of them cannot be read or written.
    """
    write(target, read(target).with_setting("CID", read(source).get("CID"), quoted=False))


def _decode(data: bytes) -> tuple[str, str]:
    """Return the text and its charset.

    The charset is the first of UTF-8, `encoding`, and the host's that reproduces the bytes.
    """
    named = _ENCODING.search(data)
    for name in ("utf-8", named[1].decode("ascii", "replace") if named else "", locale.getencoding()):
        try:
            charset = charsets.python_codec(name)
            text = data.decode(charset)
            if text.encode(charset) == data:
                return text, charset
        except (UnicodeError, LookupError):
            continue
    return data.decode("utf-8", "surrogateescape"), "utf-8"
