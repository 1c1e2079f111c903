"""Requirements of a test; each mark skips with its reason."""

from __future__ import annotations

import ctypes
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

posix_modes = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
posix_paths = pytest.mark.skipif(sys.platform == "win32", reason="the paths are those of Linux")
posix_sh = pytest.mark.skipif(shutil.which("sh") is None, reason="no POSIX sh is installed")

# `.ci/second_python` starts an unpacked Python so.
own_command_line = pytest.mark.skipif(
    Path(sys.executable).read_bytes()[:2] == b"#!", reason="a script starts this Python with another command line"
)


def under_wine() -> bool:
    """Return whether this Windows is wine."""
    return hasattr(getattr(getattr(ctypes, "windll", None), "ntdll", None), "wine_get_version")


def real_windows(wines_fault: str) -> pytest.MarkDecorator:
    """Return the mark of a test that wine alone cannot pass, and why."""
    return pytest.mark.skipif(under_wine(), reason=f"wine: {wines_fault}")


links = real_windows("a symbolic link is reported as made, and there is none")


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C interrupts, also where pytest runs in the background of a shell, which has it ignored there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
