"""What a test left running."""

from __future__ import annotations

import os
from pathlib import Path

import psutil


def processes(folder: Path) -> list[str]:
    """Return the command lines that name the folder, without this process."""
    found = (process for process in psutil.process_iter(["cmdline"]) if process.pid != os.getpid())
    lines = (" ".join(process.info["cmdline"] or []) for process in found)
    return [line for line in lines if f"{folder}/" in line]
