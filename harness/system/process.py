"""External programs. The only place of the harness that starts a process.

Output goes through files, not pipes: a window that Workstation opens for `start gui` inherits a pipe and keeps it
open for as long as the window lives, and reading to its end would wait for the user.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from harness.core.errors import ProcessError
from harness.core.secret import redact, redact_argv
from harness.core.text import decode
from harness.system import process_identity as pids
from harness.system.process_tree import end_tree

_MEANT_FOR_CMD = re.compile(r'["&|<>^%!\r\n]')


@dataclass(frozen=True)
class Completed:
    """A program that ended.

    `returncode` is the number as the platform gives it: 255 on POSIX and 4294967295 on Windows are both a -1.
    `argv` has no passwords in it.
    """

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    duration_s: float

    @property
    def output(self) -> str:
        """Standard output followed by standard error."""
        return self.stdout + self.stderr


def refuse_batch_words(words: Sequence[str]) -> None:
    """Have no word for a batch file that cmd.exe, which reads them a second time, would take for something else.

    Raises:
        ProcessError: There is one.
    """
    if not words[0].lower().endswith((".bat", ".cmd")):
        return
    for word, shown in zip(words[1:], redact_argv(tuple(words))[1:], strict=True):
        if found := _MEANT_FOR_CMD.search(word):
            raise ProcessError(
                f"cannot start {words[0]}: cmd.exe would not take the {found[0]!r} in {redact(shown)!r} as it stands",
                remedy="give the program itself (.exe) in place of a batch file, or names without such characters",
            )


def windows_command_line(words: Sequence[str]) -> str:
    """Return the words as one text that a program on Windows splits into them again, by the rules of its C library."""
    return subprocess.list2cmdline(words)


_KILLED_S = 5.0  # after that it hangs in a driver of the system


class _Running:
    """The programs that `run` waits for, and those among them that `end_running` has ended."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waited_for: set[subprocess.Popen[bytes]] = set()
        self.ended: set[subprocess.Popen[bytes]] = set()

    def forget(self, process: subprocess.Popen[bytes]) -> bool:
        """Have nobody wait for that one any more; return whether `end_running` has ended it."""
        with self.lock:
            ended = process in self.ended
            self.waited_for.discard(process)
            self.ended.discard(process)
        return ended


_running = _Running()


def end_running() -> None:
    """End every program that `run` waits for at this moment, in whatever thread; each wait ends as for a failure."""
    with _running.lock:
        processes = tuple(_running.waited_for)
        # What is ended here has no exit status of its own: psutil, not Popen, may be the one who learns it.
        _running.ended.update(process for process in processes if process.returncode is None)
    for process in processes:
        end_tree(process.pid)


class RunProgram(Protocol):
    """The process door: `harness.system.process.run`, or a fake of it."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        env: Mapping[str, str] | None = None,
        keep_children: bool = False,
    ) -> Completed:
        """Return what the program said; raise `ProcessError` when it could not start or did not end in time.

        It is ended then, with what it has started unless `alone` is said.
        """


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    timeout_s: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str = "",
    keep_children: bool = False,
    grace_s: float = 1.0,
) -> Completed:
    """Run a program to its end and return what it said; a non-zero exit is an answer, not an exception.

    Args:
        argv: Program and arguments; never a shell line.
        timeout_s: After that many seconds the program and its children are ended.
        env: Variables on top of this process's own.
        cwd: Working directory.
        stdin: Text for its standard input, which is closed afterwards.
        keep_children: After `timeout_s` the program is ended, and what it started runs on.
        grace_s: How long program and children may tidy up where they have to be ended.

    Raises:
        ProcessError: It could not be started, or did not end in time.
    """
    words = tuple(os.fspath(word) for word in argv)
    if sys.platform == "win32":
        refuse_batch_words(words)
    shown = redact_argv(words)
    started = time.monotonic()
    with tempfile.TemporaryFile() as inp, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        inp.write(stdin.encode("utf-8"))
        inp.seek(0)
        with _running.lock:
            process = _start(words, shown, {**os.environ, **(env or {})}, cwd, (inp, out, err))
            _running.waited_for.add(process)
        code, left, ended = _wait(process, timeout_s, grace_s, keep_children=keep_children)
        if code is None:
            remedy = "run the command by hand to see what it waits for"
            how = f"its processes {', '.join(map(str, left))} cannot be ended" if left else "was ended"
            raise _cut_short(shown, f"did not end within {timeout_s:.0f} s and {how}", (out, err), remedy)
        if ended:
            raise _cut_short(shown, "was ended because this session ends", (out, err), "run again")
        return Completed(shown, code, _read(out), _read(err), time.monotonic() - started)


def start(argv: Sequence[str | os.PathLike[str]], log: Path) -> tuple[int, float]:
    """Have a program running that outlives this session; returns its id and starting time, as `end_process` wants them.

    What it says goes to the log, which is emptied first.

    Raises:
        ProcessError: It could not be started.
    """
    words = tuple(os.fspath(word) for word in argv)
    # Ctrl-C in this terminal, and the end of this console, are not for it.
    flags = {"creationflags": 0x00000200 | 0x00000008} if sys.platform == "win32" else {"start_new_session": True}
    with log.open("wb") as said:
        try:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, **flags)
        except OSError as error:
            raise _not_started(words, redact_argv(words), error) from error
    # Where it ends before this session does, its id is free and no zombie stays.
    threading.Thread(target=process.wait, name=f"wait-{process.pid}", daemon=True).start()
    who = pids.identity(process.pid)
    return who["pid"], who["created"]


def run_in_terminal(argv: Sequence[str]) -> int:
    """Return the exit status of a program that was given this terminal; the person ends it.

    Raises:
        ProcessError: It could not be started.
    """
    try:
        return subprocess.call(list(argv))
    except OSError as error:
        raise ProcessError(
            f"cannot start {argv[0]}: {error.strerror or error}", remedy=f"install {argv[0]}", where=" ".join(argv)
        ) from error


def _start(
    words: tuple[str, ...],
    shown: tuple[str, ...],
    env: Mapping[str, str],
    cwd: Path | None,
    streams: tuple[IO[bytes], IO[bytes], IO[bytes]],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(words, stdin=streams[0], stdout=streams[1], stderr=streams[2], env=env, cwd=cwd)
    except OSError as error:
        raise _not_started(words, shown, error) from error


def _cut_short(shown: Sequence[str], what: str, said: Sequence[IO[bytes]], remedy: str) -> ProcessError:
    text = redact("".join(map(_read, said)))
    name = shown[2] if shown[1:2] == ("-m",) else Path(shown[0]).name  # a module of Python's, not Python
    return ProcessError(f"{name} {what}", where=" ".join(shown), said=text, remedy=remedy)


def _not_started(words: tuple[str, ...], shown: tuple[str, ...], error: OSError) -> ProcessError:
    return ProcessError(
        f"cannot start {words[0]}: {error.strerror or error}",
        where=" ".join(shown),
        remedy="check that the program exists and may be executed",
    )


def _end(process: subprocess.Popen[bytes], grace_s: float) -> tuple[int, ...]:
    """Have the tree of that process ended and its exit status collected, so that no zombie is left."""
    left = end_tree(process.pid, grace_s)
    if process.pid in left:
        process.returncode = -1  # nobody waits for it any more: no warning that it still runs
    else:
        process.wait()
    return left


def _wait(
    process: subprocess.Popen[bytes], timeout_s: float, grace_s: float, *, keep_children: bool
) -> tuple[int | None, tuple[int, ...], bool]:
    """Return how the program ended.

    Returns:
        Its exit status, None where it was ended for being late; the ids that could not be ended; whether `end_running`
        ended it.
    """
    code, left, ended = None, tuple[int, ...](), False
    try:
        code = process.wait(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        left = _end_alone(process) if keep_children else _end(process, grace_s)
    except BaseException:
        _end(process, grace_s)
        raise
    finally:
        ended = _running.forget(process)
    return code, left, ended


def _end_alone(process: subprocess.Popen[bytes]) -> tuple[int, ...]:
    process.kill()
    try:
        process.wait(_KILLED_S)
    except subprocess.TimeoutExpired:
        process.returncode = -1  # nobody waits for it any more: no warning that it still runs
        return (process.pid,)
    return ()


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return decode(stream.read())
