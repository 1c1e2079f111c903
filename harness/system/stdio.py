"""The two streams of the person at the terminal."""

from __future__ import annotations

import sys


def use_utf8_output() -> None:
    """Have everything that this process says leave it as UTF-8, whatever the code page of the console or the pipe.

    The console itself and its settings stay as they are: to a console of Windows, Python writes past the code page.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
