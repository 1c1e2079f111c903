"""Read files from the disk of a VM that is off.

qemu-img and debugfs read it: nothing is mounted.

Both programs come with the embedded hypervisor (qemu-utils, e2fsprogs); where they are not, the disk cannot be read.
The file system's journal is not replayed: what the guest wrote in its last seconds may be missing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.core.deadline import Deadline
from harness.system.process import run
from harness.system.programs import find_program
from harness.vmware.vmdk import DiskError
from harness.vmware.vmdk_descriptor import SECTOR

_RAW = "disk.raw"
_COMMANDS = "debugfs.commands"
# Master boot record: four entries of 16 bytes from byte 446; type at +4, first sector at +8. 0xee is a GPT's cover.
_MBR_ENTRIES = range(446, 510, 16)
_LINUX, _GPT_COVER = 0x83, 0xEE
# UEFI 2.10, 5.3: header in sector 1 (first entry, number, size at 72, 80, 84); an entry's first sector at +32.
_GPT_HEADER = struct.Struct("<QII")


def read_files(disk: Path, paths: Sequence[str], target: Path, deadline: Deadline) -> dict[str, Path]:
    """Copy files of the ext4 partitions; return the copies by guest path.

    A file that no partition has is left out. The work takes a sparse copy of the disk, which is deleted afterwards.

    Raises:
        DiskError: The disk cannot be read here, or has no partition with a file system that debugfs knows.
        ProcessError: A program could not be started, or did not end in time.
    """
    missing = [name for name in ("qemu-img", "debugfs") if _program(name) is None]
    if missing:
        raise DiskError(
            f"the stopped disk is not available: {' and '.join(missing)} not found",
            where=str(disk),
            remedy="on Debian: apt-get install qemu-utils e2fsprogs",
        )
    target.mkdir(parents=True, exist_ok=True)
    raw = target / _RAW
    try:
        _call(disk, deadline, "qemu-img", "convert", "-O", "raw", str(disk), str(raw))
        for start in partition_starts(raw):
            found = _dump(raw, start, paths, target, deadline)
            if found:
                return found
    finally:
        for scratch in (raw, target / _COMMANDS):
            scratch.unlink(missing_ok=True)
    raise DiskError(
        "the stopped disk has none of the files",
        where=str(disk),
        remedy="was the guest ever installed? see the console",
    )


def partition_starts(raw: Path) -> Iterator[int]:
    """Yield the offset of every partition for a Linux file system."""
    with raw.open("rb") as image:
        record = image.read(SECTOR)
        if len(record) < SECTOR or record[510:] != b"\x55\xaa":
            return
        entries = [record[at : at + 16] for at in _MBR_ENTRIES]
        if any(entry[4] == _GPT_COVER for entry in entries):
            image.seek(SECTOR + 72)
            header = image.read(_GPT_HEADER.size)
            first, number, size = _GPT_HEADER.unpack(header.ljust(_GPT_HEADER.size, b"\0"))
            for index in range(min(number, 128)):
                image.seek(first * SECTOR + index * size + 32)
                sector = int.from_bytes(image.read(8), "little")
                if sector:
                    yield sector * SECTOR
            return
        for entry in entries:
            if entry[4] == _LINUX:
                yield int.from_bytes(entry[8:12], "little") * SECTOR


def _program(name: str) -> str | None:
    """Return the program's path; debugfs is outside of a user's PATH."""
    return find_program(name) or find_program(name, path="/usr/sbin:/sbin")


def _dump(raw: Path, start: int, paths: Sequence[str], target: Path, deadline: Deadline) -> dict[str, Path]:
    copies = {path: target / path.lstrip("/").replace("/", "-") for path in paths}
    commands = target / _COMMANDS
    commands.write_text("".join(f"dump {path} {copy.name}\n" for path, copy in copies.items()), encoding="utf-8")
    _call(raw, deadline, "debugfs", "-f", commands.name, f"{raw.name}?offset={start}", cwd=target)
    return {path: copy for path, copy in copies.items() if copy.is_file()}


def _call(disk: Path, deadline: Deadline, *words: str, cwd: Path | None = None) -> None:
    done = run((_program(words[0]) or words[0], *words[1:]), timeout_s=max(1.0, deadline.remaining), cwd=cwd)
    if done.returncode != 0:
        raise DiskError(
            f"{words[0]} cannot read the stopped disk",
            where=str(disk),
            detail=done.output,
            remedy="is the machine really off, and its disk whole? `qemu-img check` says more",
        )
