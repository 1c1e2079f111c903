"""Judge the way from the firmware to the installer's kernel."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.core.finding import Finding, remark
from harness.seed.foreign.boot_entry import BootEntry, Menu
from harness.seed.foreign.layout import bios_menu, loopback_menu
from harness.seed.iso9660 import IsoReader

_QUOTE = r"write `ds=nocloud\;s=/cdrom/…/`, or put the word in quotes"
_SERIAL = "console=ttyS0,115200"


def boot_findings(iso: IsoReader) -> Iterator[Finding]:
    """Yield what keeps a VM with a BIOS from installing by itself."""
    menu = bios_menu(iso)
    if menu is None:
        yield remark("no boot menu of GRUB or ISOLINUX is in a usual place", "check the ISO's boot by hand")
        return
    if menu.entry is None or not menu.entry.kernel:
        yield Finding("no entry starts a kernel", "give the menu an entry with a kernel", f"/{menu.path}:1")
        return
    yield from _menu_findings(iso, menu, menu.entry)
    yield from _line_findings(menu, menu.entry)
    other = loopback_menu(iso)
    if other is not None and other.entry is not None:
        yield from _loopback_findings(other.entry)


def _menu_findings(iso: IsoReader, menu: Menu, entry: BootEntry) -> Iterator[Finding]:
    if menu.timeout == -1:
        yield Finding(
            f"{menu.loader}'s menu waits for a person",
            "set `timeout 30` in it (tenths of a second)" if menu.loader == "ISOLINUX" else "write `set timeout=3`",
            f"/{menu.path}:1",
        )
    for path in (entry.kernel, *entry.initrds):
        plain = re.sub(r"^\([^)]*\)", "", path)
        if plain and "$" not in plain and iso.find(plain) is None:
            yield Finding(f"{plain} is not on the ISO", "correct the path in the boot menu", entry.where)


def _line_findings(menu: Menu, entry: BootEntry) -> Iterator[Finding]:
    if entry.lost:
        yield Finding(
            f"a bare `{entry.lost[0]}` ends the kernel's line: {entry.lost!r} never arrives", _QUOTE, entry.where
        )
    for word in entry.words:
        if re.search(r"ds=nocloud.*[\\\"']", word):
            plain = re.sub(r"[\\\"']", "", word)
            yield Finding(
                f"{word} reaches the kernel with its quotes or backslashes: cloud-init does not know it",
                f"write `{plain}`: ISOLINUX knows no quotes" if menu.loader == "ISOLINUX" else _QUOTE,
                entry.where,
            )
    yield from _autoinstall_findings(entry)
    if not entry.lost and not any(word.startswith("console=ttyS0") for word in entry.words):
        yield remark(
            "without `console=ttyS0` nobody sees what the installer does",
            f"add {_SERIAL} to the kernel's line",
            entry.where,
        )


def _autoinstall_findings(entry: BootEntry) -> Iterator[Finding]:
    behind = [word for word in entry.behind_dashes if word == "autoinstall" or word.startswith("ds=")]
    if behind:
        yield Finding(
            f"{' and '.join(behind)} behind `---`: the installed system keeps it, and looks for that data at each boot",
            "put it in front of `---`",
            entry.where,
        )
    elif "autoinstall" not in entry.words:
        yield Finding(
            "the word `autoinstall` is missing: the installer asks whether to go on, and waits",
            "add `autoinstall` in front of `---`",
            entry.where,
        )


def _loopback_findings(entry: BootEntry) -> Iterator[Finding]:
    """Yield remarks on the menu that only another GRUB reads."""
    if entry.lost:
        yield remark(f"a bare `{entry.lost[0]}` cuts the line; a VM does not read this file", _QUOTE, entry.where)
    elif "autoinstall" not in entry.words:
        yield remark("`autoinstall` is missing; a VM does not read this file", "add it here as well", entry.where)
