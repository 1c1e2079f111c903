"""Count the starts of kernels on a console. Pure.

Those of an installer are counted among them. A guest whose seed sends no events reports its restarts in this way only.
"""

from __future__ import annotations

import re

_START = re.compile(r"(?:^|\[\s*\d+\.\d+\] )Linux version \d")
_COMMAND_LINE = re.compile(r"(?:^|\] )Command line: (?P<line>.*)")
# A kernel with `quiet` prints neither; cloud-init prints its first stage in any case.
_CLOUD_INIT = re.compile(r"Cloud-init v\. \S+ running 'init-local'")
# Ubuntu's live system, Debian's installer, Anaconda.
_INSTALLER = re.compile(
    r"BOOT_IMAGE=\S*/casper/|\bboot=casper\b|BOOT_IMAGE=\S*/install\.\w+/|\binst\.(?:stage2|ks|repo)="
)
MARKS = ("Linux version ", "Command line: ", "Cloud-init v. ")
# A guest that starts over and over must not fill the memory.
_KEPT = 32


class KernelStarts:
    """The starts of kernels since the power-on.

    Attributes:
        last: The lines of the last start: the kernel's version and its command line.
    """

    def __init__(self) -> None:
        self.last: list[str] = []
        self._kernels = 0
        self._first_stages = 0
        self._command_lines: list[str] = []

    def add(self, line: str) -> None:
        """Take a line of the console into account."""
        if not any(mark in line for mark in MARKS):
            return
        if _START.search(line):
            self._kernels += 1
            self.last = [line]
        elif command := _COMMAND_LINE.search(line):
            self._command_lines = [*self._command_lines[: _KEPT - 1], command["line"].strip()]
            self.last = [*self.last[:1], line]
        elif _CLOUD_INIT.search(line):
            self._first_stages += 1

    @property
    def count(self) -> int:
        """How many kernels started."""
        return max(self._kernels, len(self._command_lines), self._first_stages)

    def installer_count(self, *, blank_disk: bool) -> int:
        """Return how many of them were an installer's.

        Args:
            blank_disk: Whether the VM was powered on with a blank disk. The first kernel is an installer's then,
                whatever its command line.
        """
        first = self._command_lines[:1] if blank_disk else []
        return sum(line in first or bool(_INSTALLER.search(line)) for line in self._command_lines)
