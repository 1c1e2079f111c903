"""What `vmrun` answers to questions about a guest, as typed values. Pure: text in, values out, or a ValueError."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.vmrun.parse import counted

_PROCESS = re.compile(r"^pid=(\d{1,10}), owner=(.*?), cmd=(.*)$")
_EXISTS = re.compile(r"^The (?:file|directory) (exists|does not exist)\.?[ \t]*$", re.MULTILINE)
_COUNT = re.compile(r":[ \t]*(\d{1,9})[ \t]*$")


@dataclass(frozen=True)
class GuestProcess:
    """One process of a guest."""

    pid: int
    owner: str
    command: str


def parse_processes(text: str) -> tuple[GuestProcess, ...]:
    """Return the rows `pid=1, owner=root, cmd=/sbin/init` below `Process list: N`; a command may have several lines.

    Raises:
        ValueError: There is no such head, or not that many rows.
    """
    count, lines = counted(text, "Process list")
    found: list[GuestProcess] = []
    for line in lines:
        row = _PROCESS.match(line)
        if row:
            found.append(GuestProcess(int(row[1]), row[2], row[3]))
        elif found and line:
            last = found[-1]
            found[-1] = GuestProcess(last.pid, last.owner, f"{last.command}\n{line}")
    if len(found) != count:
        raise ValueError(f"`Process list: {count}`, but {len(found)} rows can be read")
    return tuple(found)


def parse_directory(text: str) -> tuple[str, ...]:
    """Return the names below the first line of `listDirectoryInGuest`.

    The words of that line are not known for certain (`Directory list: N` in one client); a number at its end counts.

    Raises:
        ValueError: There is no line at all, or there are fewer names than the number says.
    """
    head, *names = text.rstrip("\n").split("\n")
    if not head.strip() or head.startswith("Error:"):
        raise ValueError("no line above the names")
    names = [name for name in names if name]
    count = _COUNT.search(head)
    if count and len(names) < int(count[1]):
        raise ValueError(f"`{head.strip()}`, but {len(names)} names")
    return tuple(names)


def parse_exists(text: str) -> bool:
    """Return what `The file exists.` or `The directory does not exist.` says, whatever the exit status was.

    Raises:
        ValueError: It is another text.
    """
    said = _EXISTS.search(text)
    if said is None:
        raise ValueError("neither `exists` nor `does not exist`")
    return said[1] == "exists"
