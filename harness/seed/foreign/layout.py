"""Where a foreign ISO has its boot menu and its autoinstall data."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.seed.foreign import grub, isolinux
from harness.seed.foreign.boot_entry import Menu
from harness.seed.iso9660 import IsoReader
from harness.seed.iso_record import Record

LONGEST_TEXT = 4 << 20
GRUB_MENUS = ("boot/grub/grub.cfg", "boot/grub/i386-pc/grub.cfg", "efi/boot/grub.cfg")
ISOLINUX_MENUS = ("isolinux/isolinux.cfg", "boot/isolinux/isolinux.cfg", "isolinux.cfg", "syslinux/syslinux.cfg")
LOOPBACK = "boot/grub/loopback.cfg"
AUTOINSTALL_FILE = "autoinstall.yaml"
_USUAL_FOLDERS = ("autoinstall", "nocloud", "server", "")
# cloud-init's NoCloud takes the seed from a kernel word like `ds=nocloud;s=/cdrom/nocloud/`.
_DATA_SOURCE = re.compile(r"ds=nocloud(?:-net)?(?P<options>(?:;.*)?)$", re.DOTALL)


@dataclass(frozen=True)
class SeedPlace:
    """A kernel word that says where the data are.

    `seed` is its URL or path; empty where it gives none.
    """

    word: str
    seed: str

    @property
    def folder(self) -> str | None:
        """The folder of the ISO; None where it is none."""
        path = self.seed.removeprefix("file://")
        if not (path + "/").startswith("/cdrom/"):
            return None
        return path.removeprefix("/cdrom").strip("/")


def seed_place(words: tuple[str, ...]) -> SeedPlace | None:
    """Return what the last word of a data source says, as cloud-init reads it."""
    found = None
    for word in words:
        match = _DATA_SOURCE.match(word)
        if match:
            pairs = (item.partition("=") for item in str(match["options"]).split(";"))
            options = {key: value for key, equals, value in pairs if equals}
            found = SeedPlace(word, options.get("s", options.get("seedfrom", "")))
    return found


def text_of(iso: IsoReader, path: str) -> str | None:
    """Return the text of a file.

    None where it is missing, a directory or too long.
    """
    data = bytes_of(iso, path)
    return None if data is None else data.decode("utf-8", errors="replace")


def bytes_of(iso: IsoReader, path: str) -> bytes | None:
    """Return the bytes of a file.

    None where it is missing, a directory or too long.
    """
    record = iso.find(path)
    if record is None or record.is_directory or record.size > LONGEST_TEXT:
        return None
    return iso.read(record)


def bios_menu(iso: IsoReader) -> Menu | None:
    """Return the menu that a BIOS comes to.

    It is that of the loader in the boot catalogue.
    """
    order = (_grub_menu, _isolinux_menu)
    menus = [menu for read in (order[::-1] if _boots_isolinux(iso) else order) if (menu := read(iso))]
    return menus[0] if menus else None


def loopback_menu(iso: IsoReader) -> Menu | None:
    """Return the menu for an ISO that another GRUB mounts.

    The firmware of a VM never comes to it.
    """
    text = text_of(iso, LOOPBACK)
    return None if text is None else grub.read_menu(LOOPBACK, text)


def _boots_isolinux(iso: IsoReader) -> bool:
    sector = iso.bios_boot_sector()
    places = (path.rpartition("/")[0] for path in ISOLINUX_MENUS)
    records = (iso.find(f"{place}/isolinux.bin") for place in places)
    return any(record is not None and record.sector == sector for record in records)


def _grub_menu(iso: IsoReader) -> Menu | None:
    for path in GRUB_MENUS:
        text = text_of(iso, path)
        if text is not None:
            return grub.read_menu(path, text)
    return None


def _isolinux_menu(iso: IsoReader) -> Menu | None:
    for path in ISOLINUX_MENUS:
        text = text_of(iso, path)
        if text is not None:
            return isolinux.read_menu(path, text, lambda name: text_of(iso, name))
    return None


def data_folders(iso: IsoReader) -> list[str]:
    """Return the folders at the top of the ISO with a `user-data`.

    The usual ones come first; the empty name is the root.
    """
    names = [record.name for record in iso.children(iso.volume.root) if record.is_directory]
    order = [*_USUAL_FOLDERS, *sorted(name for name in names if name.lower() not in _USUAL_FOLDERS)]
    return [name for name in order if _is_file(iso.find(f"{name}/user-data"))]


def user_data_path(iso: IsoReader) -> str | None:
    """Return the file with the autoinstall data.

    It is the one of the kernel's line, else the first in a usual place.
    """
    menu = bios_menu(iso)
    place = seed_place(menu.entry.words) if menu and menu.entry else None
    if place and place.folder is not None and _is_file(iso.find(f"{place.folder}/user-data")):
        return f"{place.folder}/user-data".lstrip("/")
    if _is_file(iso.find(AUTOINSTALL_FILE)):
        return AUTOINSTALL_FILE
    folders = data_folders(iso)
    return f"{folders[0]}/user-data".lstrip("/") if folders else None


def _is_file(record: Record | None) -> bool:
    return record is not None and not record.is_directory
