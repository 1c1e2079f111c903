"""Where a foreign ISO has its boot menu and its data."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.seed.foreign.layout import SeedPlace, bios_menu, loopback_menu, seed_place, user_data_path
from harness.seed.inspect import inspect_iso
from harness.seed.iso9660 import IsoReader
from seed.foreign_iso import AUTOINSTALL, foreign_iso

MENU = """\
set timeout=3
menuentry "Install" {
  linux /casper/vmlinuz autoinstall ds=nocloud\\;s=/cdrom/%s/ ---
}
"""
DIRECT = AUTOINSTALL.replace(b"autoinstall:\n", b"").replace(b"\n  ", b"\n")


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({"nocloud/user-data": AUTOINSTALL}, "nocloud/user-data"),
        ({"server/user-data": AUTOINSTALL}, "server/user-data"),
        ({"config/user-data": AUTOINSTALL}, "config/user-data"),
        ({"user-data": AUTOINSTALL}, "user-data"),
        ({"autoinstall.yaml": AUTOINSTALL}, "autoinstall.yaml"),
        ({"autoinstall.yaml": DIRECT}, "autoinstall.yaml"),
        ({"a/user-data": b"", "b/user-data": AUTOINSTALL, "boot/grub/grub.cfg": (MENU % "b").encode()}, "b/user-data"),
    ],
)
def test_the_data_are_found_wherever_the_kernels_line_or_custom_puts_them(
    tmp_path: Path, files: dict[str, bytes], path: str
) -> None:
    info = inspect_iso(foreign_iso(tmp_path / "seed.iso", files))
    assert (info.machine, info.address) == ("k3s-worker1", "192.168.6.11")
    with IsoReader(tmp_path / "seed.iso") as iso:
        assert user_data_path(iso) == path


def test_an_iso_without_data_has_none(tmp_path: Path) -> None:
    path = foreign_iso(tmp_path / "seed.iso", {"boot/grub/loopback.cfg": (MENU % "x").encode()})
    with IsoReader(path) as iso:
        assert user_data_path(iso) is None
        assert bios_menu(iso) is None
        menu = loopback_menu(iso)
        assert menu is not None
        assert menu.entry is not None


@pytest.mark.parametrize(
    ("word", "seed", "folder"),
    [
        ("ds=nocloud;s=/cdrom/a/", "/cdrom/a/", "a"),
        ("ds=nocloud-net;seedfrom=file:///cdrom/a/b/", "file:///cdrom/a/b/", "a/b"),
        ("ds=nocloud;s=/cdrom/", "/cdrom/", ""),
        ("ds=nocloud;h=x;s=/mnt/a/", "/mnt/a/", None),
        ("ds=nocloud;s=http://192.168.6.1/", "http://192.168.6.1/", None),
        ("ds=nocloud", "", None),
    ],
)
def test_the_word_of_a_data_source(word: str, seed: str, folder: str | None) -> None:
    place = seed_place(("quiet", word))
    assert place == SeedPlace(word, seed)
    assert place.folder == folder


@pytest.mark.parametrize("word", ["ds=nocloud\\;s=/cdrom/", "ds=none", "nods=nocloud", "ds=nocloudy"])
def test_other_words_name_no_data_source(word: str) -> None:
    assert seed_place((word,)) is None
