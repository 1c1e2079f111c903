"""The shipped lab file as text, and places in it."""

from __future__ import annotations

from pathlib import Path

LAB_FILE = Path(__file__).parents[2] / "scenarios" / "lab.yaml"
TEXT = LAB_FILE.read_text(encoding="utf-8")


def changed(*changes: tuple[str, str]) -> str:
    """Return the shipped lab file with each old text, which stands in it once, replaced."""
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def place(text: str, part: str) -> str:
    """Return `line:column` of the one place of that text."""
    assert text.count(part) == 1, part
    before = text[: text.index(part)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


SOURCE = "  source: provided            # built elsewhere; `built` means that `lab seed` builds them\n"
OF_UBUNTU = (SOURCE, f"  source: ubuntu\n  iso: live.iso\n  sha256: '{'0' * 64}'\n")
