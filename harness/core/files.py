"""Files that another program has open, and file errors as errors of the host."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from harness.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from harness.core.errors import HostError

T = TypeVar("T")

_PATIENCE_S = 1.0
_AGAIN_S = 0.02
_REMEDIES = {
    errno.ENOSPC: "make room on the disk, then run again",
    errno.ENOENT: "something took it away meanwhile (a sync tool, a virus scanner, a person); then run again",
}
_HELD = (
    "close what holds it (an editor, the Workstation window, a sync tool), or give this user the right to it; "
    "then run again"
)


def retry_on_sharing_violation(
    action: Callable[[], T], *, platform: str = sys.platform, clock: Clock = SYSTEM_CLOCK
) -> T:
    """Run the action; on Windows retry it for a second after a sharing violation.

    Windows refuses to replace a file that is being read, and to open one that is being replaced.

    Raises:
        PermissionError: It is refused for longer, or this is not Windows.
        OSError: Any other failure, at once.
    """
    deadline = Deadline(_PATIENCE_S, clock)
    while True:
        try:
            return action()
        except PermissionError:
            if platform != "win32" or deadline.expired:
                raise
        clock.sleep(_AGAIN_S)


def host_error_from(error: BaseException) -> HostError | None:
    """Return an exception that names its file as a `HostError`; None for others.

    These are `OSError` and `VmxError`.
    """
    name = getattr(error, "filename2", None) or getattr(error, "filename", None)
    if name is None or not isinstance(error, OSError | ValueError):
        return None
    number = getattr(error, "errno", None)
    what = getattr(error, "strerror", None) or str(error)
    remedy = (
        _HELD if isinstance(error, PermissionError) else _REMEDIES.get(number or 0, "look at the file and its disk")
    )
    return HostError(f"the file cannot be used: {what}", where=str(name), remedy=remedy)


def allocated_bytes(stat: os.stat_result) -> int:
    """Return the disk space of a file: its blocks, or else its length."""
    blocks: int | None = getattr(stat, "st_blocks", None)  # POSIX only, in units of 512 bytes
    return stat.st_size if blocks is None else blocks * 512


def open_regular_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading; never wait for a FIFO or a device.

    Raises:
        OSError: It cannot be opened, or is not a regular file.
    """
    target = os.fspath(path)
    handle = os.open(target, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    stream = os.fdopen(handle, "rb") if stat.S_ISREG(os.fstat(handle).st_mode) else None
    if stream is None:
        os.close(handle)
        raise OSError(errno.EINVAL, "not a regular file", target)
    return stream


def read_regular_file(path: str | os.PathLike[str], limit: int) -> bytes:
    """Return the content of a regular file of at most `limit` bytes.

    Raises:
        OSError: It cannot be read, is not a regular file, or is larger.
    """
    with open_regular_file(path) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit} bytes", os.fspath(Path(path)))
    return data


def replace_file(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Replace a file by a new one that is on the disk.

    It is written under a random name beside it that did not exist: no link is followed, and no other file is lost.
    `mode` is that of the new file, less what the process's umask takes away.

    Raises:
        OSError: It cannot be written.
    """
    scratch = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        retry_on_sharing_violation(lambda: scratch.replace(path))
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def scratch_files_of(path: Path) -> list[Path]:
    """Return the files beside it that a killed `replace_file` left."""
    pattern = re.compile(re.escape(path.name) + r"\.[0-9a-f]{8}\.tmp")
    try:
        names = os.listdir(path.parent)  # noqa: PTH208  (names alone)
    except OSError:
        return []
    found = [path.parent / name for name in names if pattern.fullmatch(name)]
    return [item for item in found if stat.S_ISREG(item.lstat().st_mode)]


def is_mount_point(path: Path) -> bool:
    """Return whether a file system is mounted there, also a bind mount of Linux."""
    if os.path.ismount(path):
        return True
    try:
        table = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    places = {line.split(" ")[4] for line in table.splitlines() if line.count(" ") > 4}
    return re.sub(r"[ \t\n\\]", lambda match: f"\\{ord(match[0]):03o}", os.path.realpath(path)) in places


def read_end(path: Path, limit_bytes: int) -> bytes:
    """Return the last bytes of a file, however large it is.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - limit_bytes))
        return stream.read(limit_bytes)
