"""A pytest plugin that kills its own process, as `kill -9` does.

FAKE_KILL names the point. The host has room.

`phase-end:boot:after`: when the journal has that event. `ledger:3:before`: when the ledger is about to be replaced for
the third time. `write:40:after`: after the fortieth event of any kind.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from harness.core.layout import LEDGER
from harness.results.journal import Journal

VARIABLE = "FAKE_KILL"
_ROOM = 64 << 30


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def pytest_configure(config: pytest.Config) -> None:
    for name in ("virtual_memory", "disk_usage"):
        setattr(psutil, name, lambda *_: SimpleNamespace(available=_ROOM, total=_ROOM, free=_ROOM))
    kind, what, when = os.environ.get(VARIABLE, "none::").split(":")
    if kind == "ledger":
        kill_at_replacement(int(what), before=when == "before")
    elif kind != "none":
        kill_at_event(kind, what, before=when == "before")


def kill_at_event(kind: str, what: str, *, before: bool) -> None:
    write = Journal.write
    seen = 0

    def watched(journal: Journal, name: str, /, *words: Any, **fields: Any) -> None:
        nonlocal seen
        seen += 1
        hit = seen == int(what) if kind == "write" else (name, fields.get("phase", "")) == (kind, what)
        if hit and before:
            die()
        write(journal, name, *words, **fields)
        if hit:
            die()

    setattr(Journal, "write", watched)  # noqa: B010  (mypy does not take it otherwise)


def kill_at_replacement(number: int, *, before: bool) -> None:
    replace = Path.replace
    seen = 0

    def watched(path: Path, target: Path) -> Path:
        nonlocal seen
        seen += Path(target).name == LEDGER
        hit = Path(target).name == LEDGER and seen == number
        if hit and before:
            die()
        done = replace(path, target)
        if hit:
            die()
        return done

    setattr(Path, "replace", watched)  # noqa: B010  (as above)
