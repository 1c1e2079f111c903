"""Set an existing file aside while another program writes its replacement.

A stale file is then never mistaken for new output.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def set_aside(target: Path) -> Iterator[None]:
    """Move an existing `target` away while the body runs.

    It is moved back if the body creates no new file.

    Raises:
        OSError: The old file cannot be moved.
    """
    backup = target.with_name(f"{target.name}.{secrets.token_hex(4)}.old")
    try:
        target.rename(backup)
    except FileNotFoundError:
        backup = target
    try:
        yield
    finally:
        if backup != target:
            if target.exists():
                backup.unlink()
            else:
                backup.rename(target)
