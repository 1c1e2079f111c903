"""What one call of vmrun had written to vmware.log: the reason of `The operation was canceled` stands nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.core.text import decode

_BOX_LINES = 12
_BOX_NOISE = re.compile(r"\[(?:msg|vob)\.[^\]]*\]|-{4,}$")
LOG = "vmware.log"


@dataclass(frozen=True)
class LogMark:
    """How far vmware.log had got at a moment.

    VMware begins a new file at each power-on, so the file is recognised by its number in the file system.
    """

    path: Path
    file: int
    size: int

    @classmethod
    def beside(cls, vmx: Path) -> LogMark:
        """Return how far the log beside that VMX has got now; a log that is not there has got nowhere."""
        path = vmx.parent / LOG
        try:
            stat = path.stat()
        except OSError:
            return cls(path, 0, 0)
        return cls(path, stat.st_ino, stat.st_size)

    def error_since(self) -> str:
        """Return the last error box that was written after this mark, in one line, or an empty text."""
        try:
            with self.path.open("rb") as log:
                now = self.path.stat()
                if now.st_ino == self.file and now.st_size >= self.size:
                    log.seek(self.size)
                return error_box(decode(log.read()))
        except OSError:
            return ""


def error_box(log: str) -> str:
    """Return the last error box of a vmware.log in one line, or an empty text.

    A box is `Msg_Post: Error`, then lines `[msg.some.id] text` and their continuations, then a line of dashes; every
    line has a prefix of the same width (time, thread, level).
    """
    lines = log.splitlines()
    heads = [index for index, line in enumerate(lines) if "Msg_Post: Error" in line]
    if not heads:
        return ""
    width = lines[heads[-1]].index("Msg_Post: Error")
    found = []
    for line in lines[heads[-1] + 1 : heads[-1] + _BOX_LINES]:
        start = re.search(r"\[(?:msg|vob)\.", line)
        text = line[start.start() if start else width :]
        found.append(_BOX_NOISE.sub("", text).strip())
        if text.endswith("----"):
            break
    return " ".join(part for part in found if part)
