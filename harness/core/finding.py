"""A mistake in an input, or a remark about it.

One line, with its place and its remedy.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What is wrong with an input.

    Attributes:
        what: One line.
        remedy: What corrects it, as an imperative.
        where: File and line, as `/boot/grub/grub.cfg:10`; empty where it has none.
        mistake: Whether it cannot work; a remark is harmless or may be intended.
    """

    what: str
    remedy: str
    where: str = ""
    mistake: bool = True

    @property
    def correction(self) -> str:
        """The remedy behind its place."""
        return f"{self.where}: {self.remedy}" if self.where else self.remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


def remark(what: str, remedy: str, where: str = "") -> Finding:
    """Return a finding that is no mistake."""
    return Finding(what, remedy, where, mistake=False)
