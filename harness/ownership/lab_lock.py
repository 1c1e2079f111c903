"""Lab lock: one session per lab.

The lock is one of the operating system, on a file in the directory of the lab.

The kernel releases the lock of a process that dies, so the lock of a dead owner can always be acquired; the owner file
that it left is still there and is reported. The holder removes the lock file: a process that waited for it finds that
its file has no name any more and retries (filelock does).
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.core.errors import LabBusyError
from harness.core.files import replace_file, scratch_files_of
from harness.core.json_text import parse_json
from harness.core.layout import LEDGER, LOCK, MADE, OWNER
from harness.core.private import make_private_directory
from harness.core.secret import redact_argv

# `is_held` of another process holds the lock for a moment.
_START_S = 0.5


@dataclass(frozen=True)
class Owner:
    """The session that holds or last held the lab.

    Attributes:
        since: UTC, ISO 8601.
    """

    user: str
    host: str
    pid: int
    since: str
    command: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host}, process {self.pid}, since {self.since}: {self.command}"


def current_owner(argv: Sequence[str] = sys.argv) -> Owner:
    """Return this process as an owner."""
    command = " ".join(redact_argv((Path(argv[0]).name, *argv[1:])) if argv else ["python"])
    return Owner(user_name(), socket.gethostname(), os.getpid(), utc_now(), command)


def user_name() -> str:
    """Return the user of this process: the name, or else the number."""
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):
        return str(os.getuid()) if sys.platform != "win32" else "unknown"


def utc_now() -> str:
    """Return the current time as UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class LockTimeout(TimeoutError):
    """A lock file was held by another holder for the whole time."""


@contextlib.contextmanager
def hold_lock_file(path: Path, timeout_s: float) -> Iterator[None]:
    """Hold a lock file and delete it afterwards.

    Raises:
        LockTimeout: Another holder had it for that long.
        OSError: The file cannot be created.
    """
    import filelock  # noqa: PLC0415 - saves 30 ms where a lab is only read

    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=timeout_s)
    except filelock.Timeout as error:
        raise LockTimeout(str(error)) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()  # POSIX: while it is held, so that no other process holds a file of this name
        lock.release()
        if sys.platform == "win32":
            with contextlib.suppress(OSError):
                path.unlink()


@contextlib.contextmanager
def lab_lock(vm_directory: Path, lab: str, report: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Hold the lab in that directory for this session.

    The directory exists meanwhile, and stays if it existed before or something is in it. If the directory cannot be
    created or written there is no lock: nothing can be created there either, and the environment phase reports why.

    Args:
        vm_directory: The directory of the lab's VMs.
        lab: Its name, for the message.
        report: Called with a message about an owner that died.

    Raises:
        LabBusyError: Another session holds it, or its lock belongs to another user.
    """
    with contextlib.ExitStack() as stack:
        if _create_directory(vm_directory) and _acquire(vm_directory, lab, stack):
            with contextlib.suppress(OSError):
                _report_dead_owner(vm_directory, report)
                _write_owner(vm_directory / OWNER, current_owner())
        yield


def read_owner(vm_directory: Path) -> Owner | None:
    """Return the content of the owner file; None without a readable one."""
    try:
        return Owner(**parse_json((vm_directory / OWNER).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def is_held(vm_directory: Path) -> bool:
    """Return whether a session holds the lab at this moment."""
    if not os.path.lexists(vm_directory / LOCK):
        return False
    try:
        with hold_lock_file(vm_directory / LOCK, 0):
            return False
    except OSError:
        return True


def _busy(vm_directory: Path, lab: str) -> LabBusyError:
    return LabBusyError(
        f"the lab {lab} is being worked on by another session",
        where=str(vm_directory),
        detail=str(read_owner(vm_directory) or "it has not written its owner file yet"),
        remedy="wait for it to end, or give this lab another vm_directory",
    )


def _create_directory(vm_directory: Path) -> bool:
    """Create the directory; return whether it exists.

    A new one gets a file that names all directories that were created for it.
    """
    missing = [path for path in (vm_directory, *vm_directory.parents) if not os.path.lexists(path)]
    try:
        make_private_directory(vm_directory)
    except OSError:
        _remove_empty(missing)
        return False
    if missing:
        with contextlib.suppress(OSError), (vm_directory / MADE).open("x", encoding="utf-8") as stream:
            json.dump([str(path) for path in missing], stream)
    return True


def _acquire(vm_directory: Path, lab: str, stack: contextlib.ExitStack) -> bool:
    """Acquire the lock until the stack is unwound.

    Return False if nothing can be written.

    Raises:
        LabBusyError: Another session holds it, or its lock belongs to another user.
    """
    to_remove: list[Path] = []
    stack.callback(_remove_empty, to_remove)
    try:
        stack.enter_context(hold_lock_file(vm_directory / LOCK, _START_S))
    except LockTimeout as error:
        raise _busy(vm_directory, lab) from error
    except OSError as error:
        if not os.path.lexists(vm_directory / LOCK):
            to_remove += _unused_directories(vm_directory)
            return False
        raise LabBusyError(
            f"the lock of the lab {lab} cannot be acquired: {error.strerror or error}",
            where=str(vm_directory / LOCK),
            detail=str(read_owner(vm_directory) or ""),
            remedy="wait for the session of that user to end; if there is none, ask the owner of the file to remove it",
        ) from error
    stack.callback(_delete_owner, vm_directory / OWNER)
    stack.callback(lambda: to_remove.extend(_unused_directories(vm_directory)))
    return True


def _delete_owner(path: Path) -> None:
    for item in (path, *scratch_files_of(path)):
        with contextlib.suppress(OSError):
            item.unlink()


def _unused_directories(vm_directory: Path) -> list[Path]:
    """Return the directories created for a lab that has no ledger.

    The deepest is first. The file that names them is deleted.
    """
    if os.path.lexists(vm_directory / LEDGER):
        return []
    try:
        created = [Path(path) for path in parse_json((vm_directory / MADE).read_text(encoding="utf-8"))]
        (vm_directory / MADE).unlink()
    except (OSError, ValueError, TypeError):
        return []
    # A directory that was moved here has a file that names other directories.
    return created if vm_directory in created else []


def _remove_empty(directories: Sequence[Path]) -> None:
    for directory in directories:
        with contextlib.suppress(OSError):
            directory.rmdir()


def _report_dead_owner(vm_directory: Path, report: Callable[[str], None]) -> None:
    dead = read_owner(vm_directory)
    if dead is not None:
        report(f"lock taken over: its owner ended without releasing it ({dead})")


def _write_owner(path: Path, owner: Owner) -> None:
    replace_file(path, json.dumps(asdict(owner)).encode())
