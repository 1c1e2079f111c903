"""Python as a program: the command lines of this project's own modules."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def module_command(module: str) -> tuple[str, ...]:
    """Return the command line that runs a module of this project.

    `python -m` alone searches the working directory first: in a directory that another user may write, that user's
    `harness.py` or `json.py` would run. `-P` leaves that directory out.
    """
    return (sys.executable, "-P", "-m", module)


def file_command(file: str) -> tuple[str, ...]:
    """Return the command line that runs a file which imports the standard library alone."""
    return (sys.executable, "-I", "-S", file)


def named_module(argv: Sequence[str]) -> str | None:
    """Return the module that a command line of Python runs; None for others."""
    rest = argv[2:] if list(argv[1:2]) == ["-P"] else argv[1:]
    return rest[1] if list(rest[:1]) == ["-m"] and len(rest) > 1 else None
