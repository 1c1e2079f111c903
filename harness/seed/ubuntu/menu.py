"""Write boot menus that start Ubuntu's installer by itself.

Each fits into a given number of bytes. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.seed.foreign.boot_entry import BootEntry

# The title of the only entry; it shows that this project wrote the menu.
TITLE = "airgap-lab"
_WORD = "autoinstall"
# Behind `---`: for the installer and for the installed system.
_CONSOLES = (("console=tty0", "console=ttyS0,115200"), ("console=ttyS0",))
_HIDE_MESSAGES = ("quiet", "splash")
_PLAIN = re.compile(r"[\w./,:=+@%-]+|[\w/.-]+=\$\{\w+\}")


class MenuTooLong(Exception):
    """The new menu has more bytes than the old one."""


def grub_menu(entry: BootEntry, size: int) -> bytes:
    """Return a `grub.cfg` that starts the entry with the installer's word.

    Raises:
        MenuTooLong: It does not fit.
        ValueError: The entry has a word that cannot be written again.
    """
    head = f"set timeout=1\nmenuentry {TITLE} {{\n"
    kernels = [f"linux {entry.kernel} {' '.join(_words(entry, consoles))}\n" for consoles in _CONSOLES]
    end = f"{_initrd(entry)}}}\n"
    graphics = "set gfxpayload=keep\n"
    return _fitting([f"{head}{middle}{kernel}{end}" for kernel in kernels for middle in (graphics, "")], size)


def loopback_menu(entry: BootEntry, size: int) -> bytes:
    """Return a `loopback.cfg` with the installer's word; no VM reads it.

    Raises:
        MenuTooLong: It does not fit.
        ValueError: The entry has a word that cannot be written again.
    """
    kernel = f"linux {entry.kernel} {' '.join(_words(entry, ()))}\n"
    return _fitting([f"menuentry {TITLE} {{\n{kernel}{_initrd(entry)}}}\n"], size)


def isolinux_menu(entry: BootEntry, size: int) -> bytes:
    """Return an `isolinux.cfg` that starts the entry with the installer's word.

    Raises:
        MenuTooLong: It does not fit.
        ValueError: The entry has a word that cannot be written again.
    """
    images = f"initrd={','.join(entry.initrds)} " if entry.initrds else ""
    head = f"default {TITLE}\nlabel {TITLE}\nkernel {entry.kernel}\n"
    texts = [f"{head}append {images}{' '.join(_words(entry, consoles))}\n" for consoles in _CONSOLES]
    return _fitting(texts, size)


def _initrd(entry: BootEntry) -> str:
    return f"initrd {' '.join(entry.initrds)}\n" if entry.initrds else ""


def _words(entry: BootEntry, consoles: Sequence[str]) -> list[str]:
    """Return the kernel's words: the entry's own, the installer's word, the consoles."""
    kept = [word for word in entry.before_dashes if word not in _HIDE_MESSAGES]
    words = [_WORD, *kept, "---", *entry.behind_dashes, *consoles]
    strange = next((word for word in (*words, entry.kernel, *entry.initrds) if not _PLAIN.fullmatch(word)), None)
    if strange is not None:
        raise ValueError(f"its entry has {strange!r}, which Ubuntu's own menus do not have")
    return words


def _fitting(texts: Sequence[str], size: int) -> bytes:
    """Return the first text that fits, filled up with line ends."""
    for text in texts:
        data = text.encode("ascii")
        if len(data) <= size:
            return data.ljust(size, b"\n")
    raise MenuTooLong(f"the shortest new menu has {min(map(len, texts))} bytes, and the place has {size}")
