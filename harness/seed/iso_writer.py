"""Write bootable, reproducible ISO 9660 images with Rock Ridge names."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import BinaryIO

import pycdlib
import pycdlib.dates
import pycdlib.headervd
import pycdlib.pycdlib

from harness.seed.iso_tree import BOOT_CATALOG, BOOT_FILE, DISK_CHUNKS, DISK_START, Tree

SECTOR = 2048
# Number of 512-byte sectors of isolinux that the firmware loads (syslinux, "ISOLINUX").
_BOOT_LOAD_SECTORS = 4
_clock_lock = threading.Lock()


@contextmanager
def frozen_clock(seconds: float) -> Iterator[None]:
    """Give pycdlib a fixed time in UTC.

    Without it, pycdlib writes the time and the time zone of the host.
    """
    clock = SimpleNamespace(
        time=lambda: seconds, localtime=time.gmtime, gmtime=time.gmtime, strftime=time.strftime, mktime=time.mktime
    )
    modules = (pycdlib.pycdlib, pycdlib.headervd, pycdlib.dates)
    with _clock_lock:
        for module in modules:
            setattr(module, "time", clock)  # noqa: B010  (an attribute that the module's type does not declare)
        try:
            yield
        finally:
            for module in modules:
                setattr(module, "time", time)  # noqa: B010  (as above)


def _add_directories(iso: pycdlib.PyCdlib, tree: Tree) -> None:
    parents = {parent for path in tree for parent in PurePosixPath(path).parents if parent.name}
    for parent in sorted(parents):
        iso.add_directory(f"/{parent}", rr_name=parent.name, file_mode=0o040555)


def _write_disk_start(iso: pycdlib.PyCdlib, stream: BinaryIO) -> None:
    """Write the byte offset of the disk's chunks into its file.

    Blanks pad it to its length, because a leading 0 is octal to a shell.
    """
    iso.force_consistency()
    start = iso.get_record(iso_path=f"/{DISK_CHUNKS}").extent_location() * SECTOR
    length = len(stream.read())
    stream.seek(0)
    stream.write(f"{start:<{length - 1}d}\n".encode())
    stream.seek(0)


def _add_boot_loader(iso: pycdlib.PyCdlib) -> None:
    iso.add_eltorito(
        f"/{BOOT_FILE}",
        bootcatfile=f"/{BOOT_CATALOG}",
        rr_bootcatname=PurePosixPath(BOOT_CATALOG).name,
        boot_load_size=_BOOT_LOAD_SECTORS,
        boot_info_table=True,
    )


def write_iso(path: Path, tree: Tree, *, volume_id: str, timestamp: float) -> None:
    """Write an ISO; with `isolinux/isolinux.bin` on it a BIOS boots it (El Torito).

    Args:
        tree: Path on the ISO -> content.
        volume_id: At most 32 characters.
        timestamp: Every date on the ISO, in seconds since 1970.
    """
    with ExitStack() as stack:
        stack.enter_context(frozen_clock(timestamp))
        iso = pycdlib.PyCdlib()
        iso.new(interchange_level=4, rock_ridge="1.09", vol_ident=volume_id, sys_ident="LINUX")
        stack.callback(iso.close)
        _add_directories(iso, tree)
        streams: dict[str, BinaryIO] = {}
        for name, content in tree.items():
            stream: BinaryIO = (
                io.BytesIO(content.data) if content.source is None else stack.enter_context(content.source.open("rb"))
            )
            streams[name] = stream
            iso.add_fp(stream, content.size, f"/{name}", rr_name=PurePosixPath(name).name, file_mode=0o100444)
        if BOOT_FILE in tree:
            _add_boot_loader(iso)
            _write_disk_start(iso, streams[DISK_START])
        with path.open("wb") as target:
            iso.write_fp(target, blocksize=1 << 20)
