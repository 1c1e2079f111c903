"""ISOs as Ubuntu publishes them: GRUB or ISOLINUX, a list of digests, and bytes behind the file system."""

from __future__ import annotations

import hashlib
from pathlib import Path

from seed.foreign_iso import foreign_iso

GRUB = """\
set timeout=30

loadfont unicode

set menu_color_normal=white/black
set menu_color_highlight=black/light-gray

menuentry "Try or Install Ubuntu Server" {
	set gfxpayload=keep
	linux	/casper/vmlinuz  ---
	initrd	/casper/initrd
}
grub_platform
if [ "$grub_platform" = "efi" ]; then
menuentry 'UEFI Firmware Settings' {
	fwsetup
}
else
menuentry 'Test memory' {
	linux16 /boot/memtest86+x64.bin
}
fi
"""
LOOPBACK = """\
menuentry "Try or Install Ubuntu Server" {
	set gfxpayload=keep
	linux	/casper/vmlinuz iso-scan/filename=${iso_path} ---
	initrd	/casper/initrd
}
"""
ISOLINUX = """\
# D-I config version 2.0
# search path for the c32 support libraries (libcom32, libutil etc.)
path
include menu.cfg
default vesamenu.c32
prompt 0
timeout 50
"""
TEXT = """\
default live
label live
  menu label ^Install Ubuntu Server
  kernel /casper/vmlinuz
  append   initrd=/casper/initrd quiet  ---
"""


def live_files(grub: str = GRUB, *, isolinux: bool = False) -> dict[str, bytes]:
    """Return the files of a live-server ISO, with the digests of all in md5sum.txt."""
    files = {
        "casper/vmlinuz": b"MZ",
        "casper/initrd": b"initrd",
        ".disk/info": b"Ubuntu-Server 24.04.3 LTS",
        "boot/grub/grub.cfg": grub.encode(),
        "boot/grub/loopback.cfg": LOOPBACK.encode(),
    }
    if isolinux:
        menu = {"isolinux.cfg": ISOLINUX, "menu.cfg": "include txt.cfg\n", "txt.cfg": TEXT}
        files |= {f"isolinux/{name}": text.encode() for name, text in menu.items()}
    sums = [f"{md5(data)}  ./{path}\n" for path, data in files.items()]
    return {**files, "md5sum.txt": "".join(sums).encode()}


def md5(data: bytes) -> str:
    """Return the digest as md5sum prints it."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def live_iso(path: Path, files: dict[str, bytes] | None = None) -> tuple[Path, str]:
    """Write such an ISO with a partition behind it; return it and its SHA-256."""
    iso = foreign_iso(path, live_files() if files is None else files)
    with iso.open("ab") as stream:
        stream.write(bytes(range(256)) * 40_000)
    return iso, hashlib.sha256(iso.read_bytes()).hexdigest()
