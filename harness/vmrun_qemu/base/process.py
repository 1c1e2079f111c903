"""Processes: the only module of this program that starts or ends one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from harness.system.process_identity import Identity, alive
from harness.system.programs import find_program
from harness.vmrun_qemu.base import home

Child = subprocess.Popen[bytes]


def ended(child: Child, timeout_s: float) -> bool:
    """Return whether the child ended within `timeout_s` seconds."""
    try:
        child.wait(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def end(target: Identity, grace_s: float = 3.0) -> None:
    """Terminate a process, then kill it; never another process with its id.

    Return when it is gone, or after twice `grace_s` seconds.
    """
    import psutil  # noqa: PLC0415 - 20 ms, only for a command that ends a process

    for act in ("terminate", "kill"):
        if not alive(target):
            return
        try:
            process = psutil.Process(target["pid"])
            getattr(process, act)()
            process.wait(timeout=grace_s)
        except (psutil.NoSuchProcess, psutil.TimeoutExpired):
            continue


def run(argv: Sequence[str], timeout_s: float) -> tuple[int, str]:
    """Run a program; return its exit status and its output.

    A program that cannot be started or does not end in time has the status -1, with the reason as its output.
    """
    try:
        done = subprocess.run(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, f"{argv[0]} did not end within {timeout_s:.0f} s"
    except OSError as error:
        return -1, f"cannot start {argv[0]}: {error.strerror or error}"
    return done.returncode, done.stdout.decode("utf-8", "replace").replace("\r\n", "\n")


def start_bound(argv: Sequence[str], log: IO[bytes], cwd: Path) -> Child:
    """Start a program that ends with this process.

    On Linux that holds when this process is killed too: `setpriv` (util-linux, part of every Debian) asks the kernel
    for it. Elsewhere the next command ends an orphan by its record.

    Raises:
        OSError: It cannot be started.
    """
    setpriv = find_program("setpriv") if sys.platform == "linux" else None
    prefix = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
    return subprocess.Popen([*prefix, *argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=cwd)


def start_detached(module: str, words: Sequence[str], log: IO[bytes], cwd: Path) -> Child:
    """Start a module that outlives the caller and its terminal.

    Its first output line is for `first_line`. An empty part of PYTHONPATH is left out: it means the working directory.

    Raises:
        OSError: It cannot be started.
    """
    root = str(Path(__file__).resolve().parents[3])
    env = {
        **os.environ,
        "VMRUN_QEMU_HOME": str(home.root()),
        "PYTHONPATH": os.pathsep.join([root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]),
    }
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *words],  # -P: nothing is imported from the working directory
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        cwd=cwd,
        env=env,
        start_new_session=True,
        creationflags=flags,
    )


def end_soon(process: Child, grace_s: float) -> bool:
    """Wait for a process to end; kill it after `grace_s` seconds.

    Return whether it ended.
    """
    if ended(process, grace_s):
        return True
    process.kill()
    return ended(process, grace_s)


def first_line(process: Child, timeout_s: float) -> str:
    """Return the first line that a process prints.

    It is empty when the process ends without one, or prints nothing for `timeout_s` seconds.
    """
    stream = process.stdout
    if stream is None:
        return ""
    lines: list[bytes] = []

    def read() -> None:
        with stream:
            lines.append(stream.readline())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(timeout_s)
    return lines[0].decode("utf-8", "replace").strip() if lines else ""


def tail(log: Path, lines: int = 5) -> str:
    """Return the last lines of a log, none without a file."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return " / ".join(text.strip().splitlines()[-lines:])
