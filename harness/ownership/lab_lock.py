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

from harness.core.errors import LabBusyError
from harness.core.files import retry_on_sharing_violation
from harness.core.layout import LEDGER, LOCK, MADE, OWNER
from harness.core.secret import redact_argv

# Somebody who only looks whether the lab is held has its lock for a moment.
_START_S = 0.5


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

    Where the directory cannot be made or written there is no lock: nothing can be created there either, and the
    environment phase says why. A directory that was there before stays, also when it is empty.

    Args:
        vm_directory: Where the lab's machines are.
        lab: Its name, for the message.
        say: Told of an owner that died.

    Raises:
        LabBusyError: Another session holds it, or its lock is another user's.
    """
    with contextlib.ExitStack() as stack:
        if _make(vm_directory) and _take(vm_directory, lab, stack):
            with contextlib.suppress(OSError):
                _tell_of_the_dead(vm_directory, say)
                _write(vm_directory / OWNER, this_process())
        yield


def read_owner(vm_directory: Path) -> Owner | None:
    """Return who said last that the lab is theirs and has not let go; None where nobody, or nothing readable."""
    try:
        return Owner(**json.loads((vm_directory / OWNER).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def is_held(vm_directory: Path) -> bool:
    """Return whether a session holds the lab at this moment."""
    if not os.path.lexists(vm_directory / LOCK):
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
        said=str(read_owner(vm_directory) or "it has not said yet who it is"),
        remedy="wait for it to end, or give this lab another vm_directory",
    )


def _make(vm_directory: Path) -> bool:
    """Have the directory, with a word in it where it is new; return whether it is there."""
    missing = [place for place in (vm_directory, *vm_directory.parents) if not os.path.lexists(place)]
    try:
        vm_directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        _remove_empty(missing)
        return False
    if missing:
        with contextlib.suppress(OSError), (vm_directory / MADE).open("x", encoding="utf-8") as stream:
            json.dump([str(place) for place in missing], stream)
    return True


def _take(vm_directory: Path, lab: str, stack: contextlib.ExitStack) -> bool:
    """Have the lock held until the stack is unwound; return whether it is: not where nothing can be written.

    Raises:
        LabBusyError: Another session holds it, or its lock is another user's.
    """
    doomed: list[Path] = []
    stack.callback(_remove_empty, doomed)
    try:
        stack.enter_context(held(vm_directory / LOCK, _START_S))
    except filelock.Timeout as error:
        raise _busy(vm_directory, lab) from error
    except OSError as error:
        if not os.path.lexists(vm_directory / LOCK):
            doomed += _no_longer_made(vm_directory)
            return False
        raise LabBusyError(
            f"the lock of the lab {lab} cannot be had: {error.strerror or error}",
            where=str(vm_directory / LOCK),
            said=str(read_owner(vm_directory) or ""),
            remedy="wait for the session of that user to end; where there is none, have its owner remove the file",
        ) from error
    stack.callback(_forget_owner, vm_directory / OWNER)
    stack.callback(lambda: doomed.extend(_no_longer_made(vm_directory)))
    return True


def _forget_owner(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _no_longer_made(vm_directory: Path) -> list[Path]:
    """Return the directories that were made for the lab, the deepest first, where it has nothing in them any more.

    The word about them is gone then.
    """
    if os.path.lexists(vm_directory / LEDGER):
        return []
    try:
        made = [Path(place) for place in json.loads((vm_directory / MADE).read_text(encoding="utf-8"))]
        (vm_directory / MADE).unlink()
    except (OSError, ValueError, TypeError):
        return []
    return made if vm_directory in made else []  # a directory that was moved here has a word about another place


def _remove_empty(directories: Sequence[Path]) -> None:
    for directory in directories:
        with contextlib.suppress(OSError):
            directory.rmdir()


def _tell_of_the_dead(vm_directory: Path, say: Callable[[str], None]) -> None:
    dead = read_owner(vm_directory)
    if dead is not None:
        say(f"lock taken over: its owner ended without letting go ({dead})")


def _write(path: Path, owner: Owner) -> None:
    scratch = path.with_suffix(".tmp")
    scratch.write_text(json.dumps(asdict(owner)), encoding="utf-8")
    retry_on_sharing_violation(lambda: scratch.replace(path))
