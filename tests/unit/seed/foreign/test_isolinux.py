"""ISOLINUX's menus."""

from __future__ import annotations

import pytest

from harness.seed.foreign.boot_entry import Menu
from harness.seed.foreign.isolinux import read_menu

FILES = {
    "isolinux/isolinux.cfg": "path\ninclude menu.cfg\ndefault vesamenu.c32\nprompt 0\ntimeout 50\n",
    "isolinux/menu.cfg": "menu hshift 0\nmenu include /isolinux/txt.cfg\n",
    "isolinux/txt.cfg": """\
default live
label live
  menu label ^Install
  kernel /casper/vmlinuz
  append initrd=/casper/initrd quiet ds=nocloud;s=/cdrom/x/ ---
label hwe
  kernel /casper/hwe
""",
}


def menu_of(text: str) -> Menu:
    return read_menu("isolinux/isolinux.cfg", text, FILES.get)


def test_included_files_and_the_line_as_it_is_written() -> None:
    menu = menu_of(FILES["isolinux/isolinux.cfg"])
    assert (menu.timeout, menu.loader) == (5, "ISOLINUX")
    assert menu.entry is not None
    assert menu.entry.where == "/isolinux/txt.cfg:5"
    assert (menu.entry.kernel, menu.entry.initrds) == ("/casper/vmlinuz", ("/casper/initrd",))
    assert menu.entry.words == ("quiet", "ds=nocloud;s=/cdrom/x/", "---")


@pytest.mark.parametrize(
    ("text", "timeout"),
    [
        ("default a\nprompt 0\ntimeout 0\n", 0),
        ("default a\n", 0),
        ("default a\nprompt 1\n", -1),
        ("ui gfxboot bootlogo\ntimeout 0\n", -1),
        ("default vesamenu.c32\n", -1),
        ("timeout 5\n", 1),
    ],
)
def test_a_menu_waits_or_starts(text: str, timeout: int) -> None:
    assert menu_of(f"{text}label a\nkernel /k\n").timeout == timeout


@pytest.mark.parametrize(
    ("text", "kernel"),
    [
        ("default b\n", "/b"),
        ("ontimeout b\ndefault a\n", "/b"),
        ("", "/a"),
        ("default nothing\n", "/a"),
    ],
)
def test_the_label_that_starts_by_itself(text: str, kernel: str) -> None:
    menu = menu_of(f"{text}label a\nlinux /a\ninitrd /i1,/i2\nlabel b\nkernel /b\n")
    assert menu.entry is not None
    assert menu.entry.kernel == kernel


def test_a_label_may_be_the_menus_default() -> None:
    menu = menu_of("label a\nkernel /a\nlabel b\nmenu default\nkernel /b\n")
    assert menu.entry is not None
    assert menu.entry.kernel == "/b"


def test_a_file_that_includes_itself_ends() -> None:
    files = {"isolinux/a.cfg": "include a.cfg\nlabel a\nkernel /a\n"}
    menu = read_menu("isolinux/a.cfg", files["isolinux/a.cfg"], files.get)
    assert menu.entry is not None
    assert menu_of("").entry is None
