"""Encoding of standard output and standard error."""

from __future__ import annotations

import sys
from typing import TextIO


def use_utf8_output(*streams: TextIO) -> None:
    """Write streams as UTF-8 in every code page.

    By default these are standard output and standard error.

    The console and its settings stay as they are: to a console of Windows, Python writes without the code page.
    """
    for stream in streams or (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
