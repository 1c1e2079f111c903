"""Ending processes that somebody started, by id: never one that only has the id of another."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

import psutil

from harness.system import process_identity as pids


def end_tree(pid: int, grace_s: float = 1.0) -> tuple[int, ...]:
    """End a process and all that it started, by id; returns the ids of those that could not be ended.

    A program that hangs in a driver of the system, or that belongs to somebody else, outlives every signal.
    """
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        return (pid,) if psutil.pid_exists(pid) else ()
    for process in family:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    alive = _alive_after(family, grace_s)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    return tuple(process.pid for process in _alive_after(alive, grace_s))


def _alive_after(processes: list[psutil.Process], grace_s: float) -> list[psutil.Process]:
    """Return those that still run after that time; one that may not be waited for is looked at instead."""
    try:
        return psutil.wait_procs(processes, timeout=grace_s)[1]
    except psutil.Error:
        return [process for process in processes if process.is_running()]


def end_process(pid: int, started: float, argv: Sequence[str], grace_s: float = 3.0) -> tuple[int, ...]:
    """End the process with that id and starting time, or, without an id, those with exactly that command line.

    A process with another starting time (`pids`) is another process, and is left alone; so is one that only names a
    file of ours, as an editor does. Returns the ids of those that could not be ended.
    """
    left: list[int] = []
    for process in psutil.process_iter() if pid == 0 else _existing(pid):
        with contextlib.suppress(psutil.Error):
            ours = process.cmdline() == list(argv) if pid == 0 else pids.alive({"pid": pid, "created": started})
            if ours and process.pid != os.getpid():
                left += end_tree(process.pid, grace_s)
    return tuple(left)


def _existing(pid: int) -> list[psutil.Process]:
    try:
        return [psutil.Process(pid)]
    except psutil.NoSuchProcess:
        return []
