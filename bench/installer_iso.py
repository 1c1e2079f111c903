"""Measure the installer ISO that is made of Ubuntu's against a plain copy of the same ISO, in one run.

Usage: python bench/installer_iso.py [--mib 1600] [--rounds 3] [--directory DIR]

Writes an ISO in the layout of a live server, of that size, and then in turns: a plain copy with its bytes flushed to
the disk, and the installer ISO. Prints seconds of both (the best of the rounds), their ratio, and the peak memory that
the installer ISO took, as JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pycdlib

from harness.seed.ubuntu.installer_iso import make_installer_iso

_BLOCK = 4 << 20
_MENU = b"""\
set timeout=30
loadfont unicode
menuentry "Try or Install Ubuntu Server" {
	set gfxpayload=keep
	linux	/casper/vmlinuz  ---
	initrd	/casper/initrd
}
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=1600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as name:
        folder = Path(name)
        source, digest = _source(folder / "live.iso", options.mib)
        copies, made, peak = [], [], 0.0
        for _ in range(options.rounds):
            copies.append(_seconds(lambda: _copy(source, folder / "copy.iso")))
            (folder / "copy.iso").unlink()
            with _Memory() as memory:
                made.append(_seconds(lambda: make_installer_iso(source, digest, folder / "installer.iso", _quiet)))
            (folder / "installer.iso").unlink()
            peak = max(peak, memory.mib)
        size = source.stat().st_size >> 20
    figures = {"mib": size, "copy_s": min(copies), "installer_s": min(made), "memory_mib": peak}
    json.dump({**figures, "ratio": round(min(made) / min(copies), 2)}, sys.stdout, indent=1)
    print()


def _quiet(_: str) -> None:
    """Print nothing."""


class _Memory:
    """Sample the memory of this process while something runs; used as a context."""

    def __enter__(self) -> _Memory:
        self._done = threading.Event()
        self._process = psutil.Process()
        self._base = self._most = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(0.02):
            self._most = max(self._most, self._process.memory_info().rss)

    @property
    def mib(self) -> float:
        """Memory that was taken beside what the process had before."""
        return round((self._most - self._base) / (1 << 20), 1)


def _seconds(work: Callable[[], None]) -> float:
    started = time.monotonic()
    work()
    return round(time.monotonic() - started, 2)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as old, target.open("wb") as new:
        shutil.copyfileobj(old, new, _BLOCK)
        new.flush()
        os.fsync(new.fileno())


def _source(path: Path, mib: int) -> tuple[Path, str]:
    iso: Any = pycdlib.PyCdlib()
    iso.new(vol_ident="Ubuntu-Server", rock_ridge="1.09", interchange_level=4)
    for folder in ("casper", "boot", "boot/grub"):
        iso.add_directory(f"/{folder}", rr_name=folder.rpartition("/")[2])
    files = {
        "boot/grub/grub.cfg": _MENU,
        "casper/vmlinuz": b"MZ",
        "casper/initrd": b"i",
        "boot/eltorito.img": bytes(2048),
    }
    for name, data in files.items():
        iso.add_fp(io.BytesIO(data), len(data), f"/{name}", rr_name=name.rpartition("/")[2])
    iso.add_eltorito("/boot/eltorito.img", bootcatfile="/boot.cat", rr_bootcatname="boot.cat")
    iso.write(str(path))
    iso.close()
    block = os.urandom(_BLOCK)
    with path.open("ab") as stream:
        for _ in range((mib << 20) // _BLOCK):
            stream.write(block)
    with path.open("rb") as stream:
        return path, hashlib.file_digest(stream, "sha256").hexdigest()


if __name__ == "__main__":
    main()
