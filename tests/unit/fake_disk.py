"""VMDK files as VMware's tool writes them, without a disk's content."""

from __future__ import annotations

import struct
from pathlib import Path

GIB_SECTORS = 1 << 21


def descriptor(kind: str, *extents: str) -> str:
    return "\r\n".join(
        [
            "# Disk DescriptorFile",
            "version=1",
            "CID=fffffffe",
            "parentCID=ffffffff",
            f'createType="{kind}"',
            "",
            "# Extent description",
            *extents,
            "",
            "# The Disk Data Base",
            'ddb.adapterType = "lsilogic"',
            'ddb.virtualHWVersion = "19"',
            "",
        ]
    )


def header(capacity: int, offset: int = 0, size: int = 0) -> bytes:
    return struct.pack("<4sIIQQQQ", b"KDMV", 1, 3, capacity, 128, offset, size).ljust(512, b"\0")


def split_disk(folder: Path, pieces: tuple[int, ...] = (GIB_SECTORS * 2, GIB_SECTORS)) -> Path:
    lines = []
    for number, sectors in enumerate(pieces, start=1):
        name = f"my disk-s{number:03}.vmdk"
        (folder / name).write_bytes(header(sectors) + b"\1" * 8192)
        lines.append(f'RW {sectors} SPARSE "{name}"')
    path = folder / "my disk.vmdk"
    path.write_bytes(descriptor("twoGbMaxExtentSparse", *lines).encode())
    return path


def single_disk(folder: Path, sectors: int = GIB_SECTORS * 40) -> Path:
    path = folder / "single.vmdk"
    text = descriptor("monolithicSparse", f'RW {sectors} SPARSE "single.vmdk"').encode()
    path.write_bytes(header(sectors, 1, 20) + text.ljust(20 * 512, b"\0") + b"\1" * 100)
    return path
