"""The way from the firmware to the installer's kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from seed.foreign.ubuntu_iso import GRUB, LINE, checked, good_files, mistakes, remarks

PLACE = "/boot/grub/grub.cfg:3: "


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (LINE.replace(r"\;", ";"), "a bare `;` ends the kernel's line: ';s=/cdrom/conf/ console=ttyS0,115200 ---'"),
        (LINE.replace(r"\;", r"\\\;"), "with its quotes or backslashes"),
        (LINE.replace("autoinstall ", ""), "the word `autoinstall` is missing"),
        (f"quiet --- {LINE.removesuffix(' ---')}", "autoinstall and ds=nocloud;s=/cdrom/conf/ behind `---`"),
        (f"autoinstall console=ttyS0 --- {LINE.split()[1]}", "behind `---`"),
    ],
)
def test_lines_that_reach_the_kernel_otherwise_than_meant(tmp_path: Path, line: str, words: str) -> None:
    assert any(text.startswith(PLACE) and words in text for text in mistakes(checked(tmp_path, good_files(line))))


@pytest.mark.parametrize(
    ("menu", "words"),
    [
        (GRUB.replace("set timeout=5", ""), "GRUB's menu waits for a person"),
        (GRUB.replace("timeout=5", "timeout=-1"), "GRUB's menu waits for a person"),
        (GRUB.replace("casper/initrd", "casper/initrd.lz"), "/casper/initrd.lz is not on the ISO"),
        ("set timeout=5\nmenuentry 'x' {\n}\n%s", "no entry starts a kernel"),
    ],
)
def test_menus_that_start_nothing_by_themselves(tmp_path: Path, menu: str, words: str) -> None:
    files = good_files() | {"boot/grub/grub.cfg": menu.replace("%s", LINE).encode()}
    assert any(words in text for text in mistakes(checked(tmp_path, files)))


def test_isolinux_hands_the_line_on_as_it_is_written(tmp_path: Path) -> None:
    text = f"default a\nlabel a\nkernel /casper/vmlinuz\nappend initrd=/casper/initrd {LINE}\n"
    files = good_files() | {"boot/grub/grub.cfg": None, "isolinux/isolinux.cfg": text.encode()}
    found = mistakes(checked(tmp_path, files))
    assert any(text.startswith("/isolinux/isolinux.cfg:4: ") and "backslashes" in text for text in found)
    right = files | {"isolinux/isolinux.cfg": text.replace("\\;", ";").encode()}
    assert mistakes(checked(tmp_path, right)) == []


def test_a_menu_that_no_vm_reads_and_a_missing_serial_console_are_remarks(tmp_path: Path) -> None:
    files = good_files(LINE.replace("console=ttyS0,115200 ", "")) | {
        "boot/grub/loopback.cfg": (GRUB % LINE.replace(r"\;", ";")).encode()
    }
    info = checked(tmp_path, files)
    assert mistakes(info) == []
    assert [text.partition(":")[0] for text in remarks(info)] == ["/boot/grub/grub.cfg", "/boot/grub/loopback.cfg"]


def test_a_boot_loader_that_is_not_known_is_a_remark(tmp_path: Path) -> None:
    files = good_files() | {"boot/grub/grub.cfg": None}
    assert any("no boot menu" in text for text in remarks(checked(tmp_path, files)))
