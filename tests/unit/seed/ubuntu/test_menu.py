from __future__ import annotations

import pytest

from harness.seed.foreign import grub, isolinux
from harness.seed.foreign.boot_entry import BootEntry
from harness.seed.ubuntu.menu import TITLE, MenuTooLong, grub_menu, isolinux_menu, loopback_menu
from seed.ubuntu.live_iso import GRUB, ISOLINUX, LOOPBACK, TEXT

CONSOLES = ("console=tty0", "console=ttyS0,115200")


def entry_of(text: str) -> BootEntry:
    entry = grub.read_menu("grub.cfg", text).entry
    assert entry is not None
    return entry


def test_grub_starts_the_same_kernel_with_the_installers_word() -> None:
    data = grub_menu(entry_of(GRUB), len(GRUB))
    assert len(data) == len(GRUB)
    menu = grub.read_menu("grub.cfg", data.decode())
    assert menu.timeout == 1
    assert menu.entry is not None
    assert (menu.entry.title, menu.entry.kernel, menu.entry.initrds) == (TITLE, "/casper/vmlinuz", ("/casper/initrd",))
    assert menu.entry.before_dashes == ("autoinstall",)
    assert menu.entry.behind_dashes == CONSOLES


def test_the_words_of_the_entry_stay_but_for_those_that_hide_messages() -> None:
    text = GRUB.replace("vmlinuz  ---", "vmlinuz quiet splash layerfs-path=a.squashfs --- net.ifnames=0")
    found = grub.read_menu("grub.cfg", grub_menu(entry_of(text), 500).decode()).entry
    assert found is not None
    assert found.before_dashes == ("autoinstall", "layerfs-path=a.squashfs")
    assert found.behind_dashes == ("net.ifnames=0", *CONSOLES)


@pytest.mark.parametrize(("size", "kept"), [(400, ("gfxpayload", "tty0")), (150, ("tty0",)), (120, ())])
def test_where_there_is_less_room_less_important_things_are_left_out(size: int, kept: tuple[str, ...]) -> None:
    text = grub_menu(entry_of(GRUB), size).decode()
    assert len(text) == size
    assert "autoinstall" in text
    assert "console=ttyS0" in text
    assert [word in text for word in ("gfxpayload", "tty0")] == [word in kept for word in ("gfxpayload", "tty0")]


def test_a_menu_that_does_not_fit_is_refused_with_both_sizes() -> None:
    with pytest.raises(MenuTooLong, match="has 113 bytes, and the place has 90"):
        grub_menu(entry_of(GRUB), 90)


def test_the_menu_for_another_grub_fits_into_the_shortest_known_one() -> None:
    text = loopback_menu(entry_of(LOOPBACK), len(LOOPBACK)).decode()
    entry = entry_of(text)
    assert entry.before_dashes == ("autoinstall", "iso-scan/filename=${iso_path}")


def test_isolinux_starts_without_a_menu() -> None:
    files = {"isolinux/menu.cfg": "include txt.cfg\n", "isolinux/txt.cfg": TEXT}
    old = isolinux.read_menu("isolinux/isolinux.cfg", ISOLINUX, files.get).entry
    assert old is not None
    data = isolinux_menu(old, len(ISOLINUX))
    menu = isolinux.read_menu("isolinux/isolinux.cfg", data.decode(), lambda _: None)
    assert len(data) == len(ISOLINUX)
    assert menu.timeout == 0
    assert menu.entry is not None
    assert (menu.entry.kernel, menu.entry.initrds) == ("/casper/vmlinuz", ("/casper/initrd",))
    assert menu.entry.before_dashes == ("autoinstall",)
    assert menu.entry.behind_dashes == CONSOLES


def test_a_word_that_grub_would_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="ds=nocloud"):
        grub_menu(entry_of(GRUB.replace("vmlinuz  ---", r"vmlinuz ds=nocloud\;s=/cdrom/ ---")), 500)
