"""The entry that a boot loader starts by itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BootEntry:
    """An entry of a boot menu.

    Attributes:
        path: The file on the ISO.
        line: Of the kernel's command line in it.
        title: As the menu shows it.
        kernel: Path of the kernel; empty where the entry starts none.
        words: The kernel's command line as it arrives.
        initrds: Paths of the initial RAM disks.
        raw: The line as it is written.
        lost: What a bare operator cuts off, `;` included.
    """

    path: str
    line: int
    title: str
    kernel: str
    words: tuple[str, ...]
    initrds: tuple[str, ...] = ()
    raw: str = ""
    lost: str = ""

    @property
    def where(self) -> str:
        """The place, as `/boot/grub/grub.cfg:10`."""
        return f"/{self.path}:{self.line}"

    @property
    def before_dashes(self) -> tuple[str, ...]:
        """The words for the installer alone."""
        return self.words[: self.words.index("---")] if "---" in self.words else self.words

    @property
    def behind_dashes(self) -> tuple[str, ...]:
        """The words that Ubuntu's installer keeps for the installed system."""
        return self.words[len(self.before_dashes) + 1 :]


@dataclass(frozen=True)
class Menu:
    """A boot menu: its file, the loader, the entry that starts by itself.

    `timeout` in seconds; None where the menu sets none.
    """

    path: str
    loader: str
    timeout: int | None
    entry: BootEntry | None
