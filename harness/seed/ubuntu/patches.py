"""Find the bytes of an Ubuntu ISO that make its installer start by itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.core.errors import SeedError
from harness.seed.foreign import grub, isolinux
from harness.seed.foreign.boot_entry import BootEntry, Menu
from harness.seed.foreign.layout import (
    GRUB_MENUS,
    ISOLINUX_MENUS,
    LOOPBACK,
    bios_menu,
    bytes_of,
    text_of,
    user_data_path,
)
from harness.seed.iso9660 import SECTOR, IsoReader
from harness.seed.ubuntu.menu import MenuTooLong, grub_menu, isolinux_menu, loopback_menu

_SUMS = "md5sum.txt"
_DOWNLOAD = "give the live-server ISO as Ubuntu publishes it (seeds.iso)"
_PROVIDE = "use this ISO as it is: `seeds: {source: provided}`"
_REMASTER = "give another release's ISO, or remaster this one with xorriso and use `seeds: {source: provided}`"


@dataclass(frozen=True)
class Patch:
    """Bytes of a file that are replaced by as many.

    Attributes:
        offset: Of the file's first byte in the image.
    """

    path: str
    offset: int
    old: bytes
    new: bytes


def patches_of(iso: IsoReader) -> tuple[Patch, ...]:
    """Return what is replaced in an unmodified live-server ISO.

    Raises:
        SeedError: It is another ISO, is modified already, or has no room for the new menu.
    """
    boots = bios_menu(iso) if iso.bios_bootable() and iso.find("casper") else None
    if boots is None or boots.entry is None or not boots.entry.kernel:
        raise SeedError("is no live-server ISO of Ubuntu that a BIOS boots", where=str(iso.path), remedy=_DOWNLOAD)
    _require_unmodified(iso, boots.entry)
    menus = {patch.path: patch for patch in _menus(iso)}
    if boots.path not in menus:
        raise SeedError("its boot menu has an unknown form", where=f"{iso.path}: /{boots.path}", remedy=_PROVIDE)
    found = {patch.offset: patch for patch in (*menus.values(), *_sums(iso, menus))}
    return tuple(found[offset] for offset in sorted(found))


def _require_unmodified(iso: IsoReader, entry: BootEntry) -> None:
    data = user_data_path(iso)
    seen = f"it has /{data}" if data else f"its menu has `{entry.raw}`" if "autoinstall" in entry.words else ""
    if seen:
        raise SeedError(f"is not unmodified: {seen}", where=str(iso.path), remedy=f"{_DOWNLOAD}; or {_PROVIDE}")


def _menus(iso: IsoReader) -> Iterator[Patch]:
    """Yield the menus that start a kernel; other ones lead to these."""
    for path in GRUB_MENUS:
        yield from _menu(iso, path, grub.read_menu, grub_menu)
    yield from _menu(iso, LOOPBACK, grub.read_menu, loopback_menu)
    for path in ISOLINUX_MENUS:
        yield from _menu(
            iso, path, lambda at, text: isolinux.read_menu(at, text, lambda name: text_of(iso, name)), isolinux_menu
        )


def _menu(
    iso: IsoReader, path: str, read: Callable[[str, str], Menu], write: Callable[[BootEntry, int], bytes]
) -> Iterator[Patch]:
    old = bytes_of(iso, path)
    entry = read(path, old.decode("utf-8", errors="replace")).entry if old else None
    if not old or entry is None or not entry.kernel:
        return
    try:
        new = write(entry, len(old))
    except (MenuTooLong, ValueError) as error:
        raise SeedError(
            f"cannot be made to install by itself: {error}", where=f"{iso.path}: /{path}", remedy=_REMASTER
        ) from error
    yield _patch(iso, path, old, new)


def _sums(iso: IsoReader, menus: dict[str, Patch]) -> Iterator[Patch]:
    """Yield the list of digests with the lines of the new menus."""
    old = bytes_of(iso, _SUMS)
    if not old:
        return
    new = old
    for path, patch in menus.items():
        line = re.compile(
            rb"^[0-9a-f]{32}(?=  \./" + re.escape(path.encode()) + rb"\r?$)", re.MULTILINE | re.IGNORECASE
        )
        new = line.sub(hashlib.md5(patch.new, usedforsecurity=False).hexdigest().encode(), new)
    if new != old:
        yield _patch(iso, _SUMS, old, new)


def _patch(iso: IsoReader, path: str, old: bytes, new: bytes) -> Patch:
    record = iso.find(path)
    if record is None or len(record.extents) != 1 or len(old) != len(new):
        raise SeedError("its parts cannot be replaced in place", where=f"{iso.path}: /{path}", remedy=_REMASTER)
    return Patch(path, record.sector * SECTOR, old, new)
