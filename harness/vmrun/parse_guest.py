"""Parse the output of guest operations into typed values."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.vmrun.parse import parse_counted

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
    """Parse the process list of a guest.

    Rows like `pid=1, owner=root, cmd=/sbin/init` follow the line `Process list: N`. A command may have several lines.

    Raises:
        ValueError: There is no such line, or not that many rows.
    """
    count, lines = parse_counted(text, "Process list")
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
    """Parse the names below the first line of `listDirectoryInGuest`.

    The text of that line is uncertain (`Directory list: N` in one client); a number at its end counts.

    Raises:
        ValueError: There is no line at all, or there are fewer names than the number.
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
    """Parse `The file exists.` or `The directory does not exist.`.

    Raises:
        ValueError: It is another text.
    """
    answer = _EXISTS.search(text)
    if answer is None:
        raise ValueError("neither `exists` nor `does not exist`")
    return answer[1] == "exists"
