"""A file that somebody else is about to write: an older one of that name must not pass for it."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def fresh(target: Path) -> Iterator[None]:
    """Have nothing at `target` when the body begins; where it ends without a file there, the old one comes back.

    Raises:
        OSError: The old file cannot be moved.
    """
    aside = target.with_name(f"{target.name}.{secrets.token_hex(4)}.old")
    try:
        target.rename(aside)
    except FileNotFoundError:
        aside = target
    try:
        yield
    finally:
        if aside != target:
            if target.exists():
                aside.unlink()
            else:
                aside.rename(target)
