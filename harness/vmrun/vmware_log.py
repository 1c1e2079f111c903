"""Read from vmware.log why a call of vmrun failed.

Only this file has the reason of `The operation was canceled`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.core.text import decode

_BOX_LINES = 12
_BOX_HEAD = re.compile(r"Msg_(?:Post: Error|Question:)")
_BOX_NOISE = re.compile(r"\[(?:msg|vob)\.[^\]]*\]|-{4,}$")
_MONITOR_MODE = re.compile(r"\bMonitor Mode: *(\w+)")
_MODE_BYTES = 4 << 20
# The end of a log that is read, however large it is.
_END_BYTES = 4 << 20
LOG = "vmware.log"


@dataclass(frozen=True)
class LogPosition:
    """The end of vmware.log at one moment.

    VMware begins a new file at each power-on, so the file is identified by its number in the file system.
    """

    path: Path
    file: int
    size: int

    @classmethod
    def beside(cls, vmx: Path) -> LogPosition:
        """Return the present end of the log beside that VMX."""
        path = vmx.parent / LOG
        try:
            stat = path.stat()
        except OSError:
            return cls(path, 0, 0)
        return cls(path, stat.st_ino, stat.st_size)

    def last_error(self) -> str:
        """Return the last error or question after this position, or nothing."""
        try:
            with self.path.open("rb") as log:
                now = self.path.stat()
                same = now.st_ino == self.file and now.st_size >= self.size
                log.seek(max(self.size if same else 0, now.st_size - _END_BYTES))
                return error_box(decode(log.read(_END_BYTES)))
        except OSError:
            return ""


def monitor_mode(vmx: Path) -> str:
    """Return the monitor's mode from the log beside a VMX; empty if unknown.

    `ULM` means that Windows' own hypervisor (Hyper-V, VBS) is on and VMware runs above it, slower than in `CPL0`.
    """
    try:
        with (vmx.parent / LOG).open("rb") as log:
            found = _MONITOR_MODE.findall(decode(log.read(_MODE_BYTES)))
    except OSError:
        return ""
    return found[-1].upper() if found else ""


def error_box(log: str) -> str:
    """Return the last error or question in one line; empty without one.

    A box is `Msg_Post: Error` or `Msg_Question:`, then lines `[msg.some.id] text` and their continuations, then a line
    of dashes; every line has a prefix of the same width (time, thread, level).
    """
    lines = log.splitlines()
    heads = [index for index, line in enumerate(lines) if _BOX_HEAD.search(line)]
    if not heads:
        return ""
    head = _BOX_HEAD.search(lines[heads[-1]])
    width = head.start() if head else 0
    found = []
    for line in lines[heads[-1] + 1 : heads[-1] + _BOX_LINES]:
        start = re.search(r"\[(?:msg|vob)\.", line)
        text = line[start.start() if start else width :]
        if text.startswith(("MsgQuestion:", "Msg_Reply:")):  # how the question was answered
            break
        found.append(_BOX_NOISE.sub("", text).strip())
        if text.endswith("----"):
            break
    return " ".join(part for part in found if part)
