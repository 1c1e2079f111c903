"""Entries of boot menus."""

from __future__ import annotations

from harness.seed.foreign.boot_entry import BootEntry


def test_the_words_on_both_sides_of_the_dashes() -> None:
    entry = BootEntry("isolinux/txt.cfg", 4, "live", "/casper/vmlinuz", ("a", "---", "quiet"))
    assert entry.where == "/isolinux/txt.cfg:4"
    assert entry.before_dashes == ("a",)
    assert entry.behind_dashes == ("quiet",)


def test_without_dashes_every_word_is_the_installers() -> None:
    entry = BootEntry("g", 1, "", "", ("a", "b"))
    assert (entry.before_dashes, entry.behind_dashes) == (("a", "b"), ())
