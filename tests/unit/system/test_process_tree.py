from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from needs import own_command_line

from harness.system.process import run, start
from harness.system.process_tree import end_process, end_tree

SLEEP = "import time; time.sleep(60)"


def python(program: str) -> tuple[str, ...]:
    return (sys.executable, "-IS", "-c", program)


def test_a_process_is_ended_with_its_descendants() -> None:
    program = f"import subprocess; print(subprocess.Popen({python(SLEEP)!r}).pid, flush=True); {SLEEP}"
    process = subprocess.Popen(python(program), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    assert end_tree(process.pid) == ()
    process.wait(10)
    process.stdout.close()
    assert not psutil.pid_exists(child)


@own_command_line
def test_the_command_line_has_to_be_exactly_the_same() -> None:
    process = subprocess.Popen(python(SLEEP))
    try:
        assert end_process(0, 0, python(SLEEP)[:-1]) == ()
        assert end_process(0, 0, (*python(SLEEP), "x")) == ()
        assert process.poll() is None
        assert end_process(0, 0, python(SLEEP), grace_s=30) == ()  # at most; a busy host takes its time
        process.wait(10)
    finally:
        end_tree(process.pid)
        process.wait(10)


def test_the_calling_process_is_never_ended_by_its_command_line(tmp_path: Path) -> None:
    program = (
        "import psutil; from harness.system.process_tree import end_process\n"
        f"end_process(0, 0, psutil.Process().cmdline()); print('alive', {str(tmp_path)!r})"
    )
    assert run((sys.executable, "-c", program), timeout_s=20).stdout.startswith("alive")


def test_ending_a_process_that_is_gone_is_fine() -> None:
    done = run(python("import os; print(os.getpid())"), timeout_s=20)
    assert end_tree(int(done.stdout)) == ()


def test_a_change_of_the_clock_does_not_change_the_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a sleep of the host psutil's starting times differ."""
    pid, started = start(python(SLEEP), tmp_path / "log")
    real = psutil.Process.create_time
    if sys.platform == "linux":
        monkeypatch.setattr(psutil.Process, "create_time", lambda process: real(process) + 3600)
        monkeypatch.setattr(psutil, "boot_time", lambda: 5.0)
    try:
        assert end_process(pid, started + 3, "") == ()
        assert psutil.pid_exists(pid)
        assert end_process(pid, started, "") == ()
        assert not psutil.pid_exists(pid)
    finally:
        end_tree(pid)
