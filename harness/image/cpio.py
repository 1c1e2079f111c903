"""Archive format of an initial RAM disk."""

from __future__ import annotations

from dataclasses import dataclass

S_IFDIR, S_IFREG, S_IFCHR = 0o040000, 0o100000, 0o020000


@dataclass(frozen=True)
class Entry:
    """Archive member: directory, file with data, or character device (major, minor)."""

    path: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def _member(entry: Entry, inode: int) -> bytes:
    name = entry.path.encode() + b"\0"
    numbers = (
        inode, entry.mode, 0, 0, 1, 0, len(entry.data), 0, 0, entry.device[0], entry.device[1], len(name), 0,
    )  # fmt: skip
    header = b"070701" + b"".join(f"{number:08X}".encode() for number in numbers)
    return _padded(header + name) + _padded(entry.data)


def archive(entries: list[Entry]) -> bytes:
    """Return a reproducible `newc` archive (cpio(5)), owned by root and without times."""
    members = [_member(entry, inode) for inode, entry in enumerate(entries, start=1)]
    return b"".join([*members, _member(Entry("TRAILER!!!", 0), 0)])
