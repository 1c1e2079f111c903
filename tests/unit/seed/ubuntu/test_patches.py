from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import SeedError
from harness.seed.iso9660 import IsoReader
from harness.seed.ubuntu.patches import Patch, patches_of
from seed.foreign_iso import foreign_iso
from seed.ubuntu.live_iso import GRUB, live_files, md5


def patches(folder: Path, files: dict[str, bytes], *, bootable: bool = True) -> dict[str, Patch]:
    with IsoReader(foreign_iso(folder / "live.iso", files, bootable=bootable)) as iso:
        return {patch.path: patch for patch in patches_of(iso)}


def test_each_menu_and_its_digest_is_replaced(tmp_path: Path) -> None:
    found = patches(tmp_path, live_files(isolinux=True))
    menus = ["boot/grub/grub.cfg", "boot/grub/loopback.cfg", "isolinux/isolinux.cfg"]
    assert sorted(found) == [*menus, "md5sum.txt"]
    image = (tmp_path / "live.iso").read_bytes()
    for patch in found.values():
        assert image[patch.offset : patch.offset + len(patch.old)] == patch.old
        assert len(patch.new) == len(patch.old)
    lines = set(found["md5sum.txt"].new.decode().splitlines())
    assert {f"{md5(found[path].new)}  ./{path}" for path in menus} < lines
    assert len(lines - set(found["md5sum.txt"].old.decode().splitlines())) == len(menus)


def test_a_menu_that_only_leads_to_another_one_stays(tmp_path: Path) -> None:
    stub = {"boot/grub/i386-pc/grub.cfg": b"source /boot/grub/grub.cfg\n"}
    assert "boot/grub/i386-pc/grub.cfg" not in patches(tmp_path, live_files() | stub)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            live_files() | {"autoinstall/user-data": b"#cloud-config\n"},
            "is not unmodified: it has /autoinstall/user-data",
        ),
        (live_files(GRUB.replace("  ---", " autoinstall ---")), "is not unmodified: its menu has"),
        ({"casper/vmlinuz": b"MZ"}, "is no live-server ISO"),
        ({"boot/grub/grub.cfg": GRUB.encode()}, "is no live-server ISO"),
        (live_files("menuentry u {\nlinux /casper/vmlinuz ---\n}\n"), "the place has 42"),
    ],
)
def test_other_isos_are_refused_with_place_and_remedy(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    with pytest.raises(SeedError, match=words) as caught:
        patches(tmp_path, files)
    assert "live.iso" in caught.value.where
    assert caught.value.remedy


def test_an_iso_that_no_bios_boots_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match="that a BIOS boots"):
        patches(tmp_path, live_files(), bootable=False)
