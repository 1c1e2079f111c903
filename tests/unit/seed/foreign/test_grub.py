"""GRUB's menus as a BIOS comes to them."""

from __future__ import annotations

import pytest

from harness.seed.foreign.boot_entry import BootEntry
from harness.seed.foreign.grub import read_menu


def entry_of(text: str) -> BootEntry:
    entry = read_menu("boot/grub/grub.cfg", text).entry
    assert entry is not None
    return entry


def kernel_line(line: str) -> BootEntry:
    return entry_of(f"menuentry 'Install' {{\n\tlinux /casper/vmlinuz {line}\n\tinitrd /casper/initrd\n}}\n")


@pytest.mark.parametrize(
    ("written", "words", "lost"),
    [
        (r"a ds=nocloud\;s=/cdrom/x/ ---", ("a", "ds=nocloud;s=/cdrom/x/", "---"), ""),
        ('a "ds=nocloud;s=/cdrom/x/" ---', ("a", "ds=nocloud;s=/cdrom/x/", "---"), ""),
        ("a 'ds=nocloud;s=/cdrom/x/' ---", ("a", "ds=nocloud;s=/cdrom/x/", "---"), ""),
        ("a ds=nocloud';'s=/cdrom/x/ ---", ("a", "ds=nocloud;s=/cdrom/x/", "---"), ""),
        ("a ds=nocloud;s=/cdrom/x/ b ---", ("a", "ds=nocloud"), ";s=/cdrom/x/ b ---"),
        (r"ds=nocloud\\\;s=/x/", (r"ds=nocloud\\;s=/x/",), ""),
        ("a b # c", ("a", "b"), ""),
        ("iso-scan/filename=${iso_path} ---", ("iso-scan/filename=${iso_path}", "---"), ""),
        ('"a b"', ('"a b"',), ""),
        ("a &b", ("a",), "&b"),
        ("a \\\n  b ---", ("a", "b", "---"), ""),
    ],
)
def test_the_kernel_gets_what_grubs_quotes_leave(written: str, words: tuple[str, ...], lost: str) -> None:
    entry = kernel_line(written)
    assert (entry.words, entry.lost) == (words, lost)
    assert (entry.kernel, entry.initrds, entry.line) == ("/casper/vmlinuz", ("/casper/initrd",), 2)


MENU = """\
set timeout=5
set default="{default}"
menuentry 'first' {{
  linux /first
}}
submenu 'more' {{
  menuentry 'inner' --id deep {{
    linux /inner
  }}
}}
menuentry 'last' {{ linux /last; initrd /i; }}
"""


@pytest.mark.parametrize(
    ("default", "kernel"),
    [("0", "/first"), ("1>0", "/inner"), ("2", "/last"), ("last", "/last"), ("none", "/first"), ("1", "/first")],
)
def test_the_entry_that_starts_by_itself(default: str, kernel: str) -> None:
    menu = read_menu("g", MENU.format(default=default))
    assert menu.timeout == 5
    assert menu.entry is not None
    assert menu.entry.kernel == kernel


def test_entries_of_uefi_are_no_entries_of_a_bios() -> None:
    text = """\
if [ "$grub_platform" = "efi" ]; then
  if [ -e /x ]; then
    set timeout=9
  fi
  menuentry 'u' { linux /uefi }
else
  menuentry 'b' { linux /bios }
fi
"""
    assert entry_of(text).kernel == "/bios"


def test_a_condition_that_is_not_known_hides_no_entry() -> None:
    assert entry_of("if [ -e /a ]; then\nmenuentry 'a' {\nlinux /a\n}\nfi\n").kernel == "/a"


@pytest.mark.parametrize(("line", "timeout"), [("set timeout=-1", -1), ("", -1), ("set timeout=$x", None)])
def test_a_menu_may_wait(line: str, timeout: int | None) -> None:
    assert read_menu("g", line).timeout == timeout


@pytest.mark.parametrize("text", ["", "{" * 5000, "menuentry", "}\n}\n{", "menuentry 'a' {\n", "\\", "'", '"\\', "if"])
def test_damaged_menus_have_no_entry_and_raise_nothing(text: str) -> None:
    entry = read_menu("g", text).entry
    assert entry is None or not entry.words


def test_the_place_and_both_sides_of_the_dashes() -> None:
    entry = kernel_line("a b --- c")
    assert entry.where == "/boot/grub/grub.cfg:2"
    assert (entry.before_dashes, entry.behind_dashes) == (("a", "b"), ("c",))
    assert kernel_line("a").behind_dashes == ()
