"""End process trees by process identity, never by a reused id."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

import psutil

from harness.system.process_identity import alive


def end_tree(pid: int, grace_s: float = 1.0) -> tuple[int, ...]:
    """End a process and its descendants.

    Return the ids that could not be ended: a program that hangs in a driver of the system, or that belongs to another
    user, survives every signal.
    """
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        return (pid,) if psutil.pid_exists(pid) else ()
    for process in family:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    remaining = _running_after(family, grace_s)
    for process in remaining:
        with contextlib.suppress(psutil.Error):
            process.kill()
    return tuple(process.pid for process in _running_after(remaining, grace_s))


def _running_after(processes: list[psutil.Process], grace_s: float) -> list[psutil.Process]:
    """Return the processes that still run after that time.

    If waiting for them is not permitted, their present state counts.
    """
    try:
        return psutil.wait_procs(processes, timeout=grace_s)[1]
    except psutil.Error:
        return [process for process in processes if process.is_running()]


def end_process(pid: int, started: float, argv: Sequence[str], grace_s: float = 3.0) -> tuple[int, ...]:
    """End a process, found by id and starting time or command line.

    The command line counts if the id is 0. A process with another starting time is another process and is not touched;
    neither is one whose command line only contains a file of ours, as an editor's does. Return the ids that could not
    be ended.
    """
    remaining: list[int] = []
    for process in psutil.process_iter() if pid == 0 else _existing(pid):
        with contextlib.suppress(psutil.Error):
            ours = process.cmdline() == list(argv) if pid == 0 else alive({"pid": pid, "created": started})
            if ours and process.pid != os.getpid():
                remaining += end_tree(process.pid, grace_s)
    return tuple(remaining)


def _existing(pid: int) -> list[psutil.Process]:
    try:
        return [psutil.Process(pid)]
    except psutil.NoSuchProcess:
        return []
