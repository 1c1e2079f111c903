"""External programs: the only module of the harness that starts a process.

Output goes through files, not pipes: a window that Workstation opens for `start gui` inherits a pipe and keeps it
open as long as the window exists, and reading to its end would wait for the user.
"""

from __future__ import annotations

import contextlib
import os
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
from harness.system.process_identity import identity
from harness.system.programs import located
from harness.system.python import named_module
from harness.system.windows.batch_files import refuse_batch_words


@dataclass(frozen=True)
class Completed:
    """The result of a program that ended.

    Attributes:
        argv: The command, without passwords.
        returncode: The number as the platform reports it: 255 on POSIX and 4294967295 on Windows both mean -1.
        stdout: Standard output.
        stderr: Standard error.
        duration_s: From start to end.
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


def windows_command_line(words: Sequence[str]) -> str:
    """Return the words as a Windows command line.

    A program splits it into the same words by the rules of the C library.
    """
    return subprocess.list2cmdline(words)


_KILL_S = 5.0  # a killed process that still exists after that hangs in a driver of the system


class _Running:
    """The programs that `run` waits for, and those ended by `end_running`."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waited_for: set[subprocess.Popen[bytes]] = set()
        self.ended: set[subprocess.Popen[bytes]] = set()

    def remove(self, process: subprocess.Popen[bytes]) -> bool:
        """Remove a program; return whether `end_running` ended it."""
        with self.lock:
            ended = process in self.ended
            self.waited_for.discard(process)
            self.ended.discard(process)
        return ended


_running = _Running()


def end_running() -> None:
    """End every program that `run` waits for, in any thread.

    Each `run` raises then, as after a timeout.
    """
    with _running.lock:
        processes = tuple(_running.waited_for)
        # These have no exit status of their own: psutil, not Popen, may be the one that collects it.
        _running.ended.update(process for process in processes if process.returncode is None)
    for process in processes:
        _end_tree(process.pid)


def _end_tree(pid: int, grace_s: float = 1.0) -> tuple[int, ...]:
    from harness.system.process_tree import end_tree  # noqa: PLC0415 - saves the 20 ms of psutil where nothing is ended

    return end_tree(pid, grace_s)


class RunProgram(Protocol):
    """The type of `harness.system.process.run` and of its fakes."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        env: Mapping[str, str] | None = None,
        keep_children: bool = False,
    ) -> Completed:
        """Run a program to its end and return its result.

        Raises:
            ProcessError: It could not be started, or did not end in time and was ended, with its children unless
                `keep_children`.
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
    """Run a program to its end and return its result.

    A non-zero exit status is a result, not an exception.

    Args:
        argv: Program and arguments; never a shell line.
        timeout_s: After that many seconds the program and its children are ended.
        env: Variables on top of this process's own.
        cwd: Working directory.
        stdin: Text for its standard input, which is closed afterwards.
        keep_children: After `timeout_s` only the program is ended, and its children run on.
        grace_s: Time between the request to end and the kill.

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
            process = _start(words, shown, _environment(env), cwd, (inp, out, err))
            _running.waited_for.add(process)
        code, left, ended = _wait(process, timeout_s, grace_s, keep_children=keep_children)
        if code is None:
            remedy = "run the command by hand to see what it waits for"
            how = f"its processes {', '.join(map(str, left))} cannot be ended" if left else "was ended"
            raise _interrupted(shown, f"did not end within {timeout_s:.0f} s and {how}", (out, err), remedy)
        if ended:
            raise _interrupted(shown, "was ended because this session ends", (out, err), "run again")
        return Completed(shown, code, _read(out), _read(err), time.monotonic() - started)


def start(argv: Sequence[str | os.PathLike[str]], log: Path, env: Mapping[str, str] | None = None) -> tuple[int, float]:
    """Start a program that outlives this session.

    Return its id and starting time, as `end_process` needs them. `log` is truncated first; `env` is added to ours.

    Raises:
        ProcessError: It could not be started.
    """
    words = tuple(os.fspath(word) for word in argv)
    environ = _environment(env)
    # Neither Ctrl-C in this terminal nor the end of this console must reach it.
    flags = {"creationflags": 0x00000200 | 0x00000008} if sys.platform == "win32" else {"start_new_session": True}
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                located(words), stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environ, **flags
            )
        except OSError as error:
            raise _not_started(words, redact_argv(words), error) from error
    # If it ends before this session does, no zombie keeps its id.
    threading.Thread(target=process.wait, name=f"wait-{process.pid}", daemon=True).start()
    started = identity(process.pid)
    return started["pid"], started["created"]


def run_in_terminal(argv: Sequence[str]) -> int:
    """Run a program in this terminal and return its exit status.

    The user ends it.

    Raises:
        ProcessError: It could not be started.
    """
    try:
        return subprocess.call(located(argv))
    except OSError as error:
        raise ProcessError(
            f"cannot start {argv[0]}: {error.strerror or error}", remedy=f"install {argv[0]}", where=" ".join(argv)
        ) from error


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    """Return this process's variables with `extra` on top.

    Another thread may remove one meanwhile, as pytest does with PYTEST_CURRENT_TEST after each test.
    """
    while True:
        with contextlib.suppress(KeyError, RuntimeError):
            return {**os.environ, **(extra or {})}


def _start(
    words: tuple[str, ...],
    shown: tuple[str, ...],
    env: Mapping[str, str],
    cwd: Path | None,
    streams: tuple[IO[bytes], IO[bytes], IO[bytes]],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            located(words), stdin=streams[0], stdout=streams[1], stderr=streams[2], env=env, cwd=cwd
        )
    except OSError as error:
        raise _not_started(words, shown, error) from error


def _interrupted(shown: Sequence[str], what: str, streams: Sequence[IO[bytes]], remedy: str) -> ProcessError:
    text = redact("".join(map(_read, streams)))
    name = named_module(shown) or Path(shown[0]).name  # the Python module, not Python
    return ProcessError(f"{name} {what}", where=" ".join(shown), detail=text, remedy=remedy)


def _not_started(words: tuple[str, ...], shown: tuple[str, ...], error: OSError) -> ProcessError:
    return ProcessError(
        f"cannot start {words[0]}: {error.strerror or error}",
        where=" ".join(shown),
        remedy="check that the program exists and may be executed",
    )


def _end(process: subprocess.Popen[bytes], grace_s: float) -> tuple[int, ...]:
    """End a process and its children, and collect its exit status."""
    left = _end_tree(process.pid, grace_s)
    if process.pid in left:
        process.returncode = -1  # else Popen warns that it still runs
    else:
        process.wait()
    return left


def _wait(
    process: subprocess.Popen[bytes], timeout_s: float, grace_s: float, *, keep_children: bool
) -> tuple[int | None, tuple[int, ...], bool]:
    """Wait for the program, and end it after its time limit.

    Returns:
        Its exit status, or None if it exceeded the limit; the ids that could not be ended; whether `end_running` ended
        it.
    """
    code, left, ended = None, tuple[int, ...](), False
    try:
        code = process.wait(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        left = _end_parent(process) if keep_children else _end(process, grace_s)
    except BaseException:
        _end(process, grace_s)
        raise
    finally:
        ended = _running.remove(process)
    return code, left, ended


def _end_parent(process: subprocess.Popen[bytes]) -> tuple[int, ...]:
    process.kill()
    try:
        process.wait(_KILL_S)
    except subprocess.TimeoutExpired:
        process.returncode = -1  # else Popen warns that it still runs
        return (process.pid,)
    return ()


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return decode(stream.read())
