"""One session per lab: a lock of the operating system in the lab's own directory, and who holds it.

The kernel lets go of the lock of a process that dies, so a dead owner's lock can always be had; what it wrote about
itself is still there and is told. The lock's file is removed by its holder: whoever waited for it finds that its file
has no name any more and tries again (filelock does).
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

import filelock

from harness.errors import LabBusyError
from harness.layout import LOCK, OWNER
from harness.secret import redact_argv


@dataclass(frozen=True)
class Owner:
    """Whose session works, or worked, on the lab; `since` is UTC, ISO 8601."""

    user: str
    host: str
    pid: int
    since: str
    command: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host}, process {self.pid}, since {self.since}: {self.command}"


def this_process(argv: Sequence[str] = sys.argv) -> Owner:
    """Return this process as an owner."""
    command = " ".join(redact_argv((Path(argv[0]).name, *argv[1:])) if argv else ["python"])
    return Owner(user_name(), socket.gethostname(), os.getpid(), now(), command)


def user_name() -> str:
    """Return who runs this process, by name or, where it has none, by number."""
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):
        return str(os.getuid()) if sys.platform != "win32" else "unknown"


def now() -> str:
    """Return the time as UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextlib.contextmanager
def held(path: Path, timeout_s: float) -> Iterator[None]:
    """Hold the lock of that file, which does not exist afterwards.

    Raises:
        filelock.Timeout: Somebody else held it for that long.
        OSError: The file cannot be made.
    """
    lock = filelock.FileLock(path)
    lock.acquire(timeout=timeout_s)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()  # POSIX: while it is held, so that nobody holds a file with this name besides
        lock.release()
        if sys.platform == "win32":
            with contextlib.suppress(OSError):
                path.unlink()


@contextlib.contextmanager
def lab_lock(vm_directory: Path, lab: str, say: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Hold the lab in that directory for this session; the directory exists meanwhile, and afterwards if it is used.

    Args:
        vm_directory: Where the lab's machines are.
        lab: Its name, for the message.
        say: Told of an owner that died.

    Raises:
        LabBusyError: Another session holds it.
    """
    made = _missing(vm_directory)
    with contextlib.ExitStack() as stack:
        stack.callback(_remove_empty, [vm_directory, *made])
        try:
            vm_directory.mkdir(parents=True, exist_ok=True)
            stack.enter_context(held(vm_directory / LOCK, 0))
            _tell_of_the_dead(vm_directory, say)
            _write(vm_directory / OWNER, this_process())
        except filelock.Timeout as error:
            raise _busy(vm_directory, lab) from error
        except OSError:
            pass  # nothing can be created there either, and the environment phase says why
        else:
            stack.callback((vm_directory / OWNER).unlink, missing_ok=True)
        yield


def owner_of(vm_directory: Path) -> Owner | None:
    """Return who said last that the lab is theirs and has not let go; None where nobody, or nothing readable."""
    try:
        return Owner(**json.loads((vm_directory / OWNER).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def is_held(vm_directory: Path) -> bool:
    """Return whether a session holds the lab at this moment."""
    if not (vm_directory / LOCK).exists():
        return False
    try:
        with held(vm_directory / LOCK, 0):
            return False
    except (filelock.Timeout, OSError):
        return True


def _busy(vm_directory: Path, lab: str) -> LabBusyError:
    return LabBusyError(
        f"the lab {lab} is being worked on by another session",
        where=str(vm_directory),
        said=str(owner_of(vm_directory) or "it has not said yet who it is"),
        remedy="wait for it to end, or give this lab another vm_directory",
    )


def _missing(path: Path) -> list[Path]:
    """Return the directories of that path that do not exist, the deepest first."""
    return [place for place in (path, *path.parents) if not place.exists()]


def _remove_empty(directories: Sequence[Path]) -> None:
    for directory in directories:
        with contextlib.suppress(OSError):
            directory.rmdir()


def _tell_of_the_dead(vm_directory: Path, say: Callable[[str], None]) -> None:
    dead = owner_of(vm_directory)
    if dead is not None:
        say(f"lock taken over: its owner ended without letting go ({dead})")


def _write(path: Path, owner: Owner) -> None:
    scratch = path.with_suffix(".tmp")
    scratch.write_text(json.dumps(asdict(owner)), encoding="utf-8")
    scratch.replace(path)
