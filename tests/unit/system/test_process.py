from __future__ import annotations

import os
import sys
import threading
import time
from collections import UserDict
from pathlib import Path

import psutil
import pytest

from harness.core.errors import ProcessError
from harness.system.process import end_running, run, run_in_terminal, start
from harness.system.process_tree import end_tree

PYTHON = sys.executable


def python(program: str) -> tuple[str, ...]:
    return (PYTHON, "-IS", "-c", program)


def parent(mark: Path, then: str) -> str:
    """Return a program that starts a child, writes its id, runs `then`."""
    return (
        "import pathlib, subprocess, time\n"
        f"child = subprocess.Popen([{PYTHON!r}, '-IS', '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(mark)!r}).write_text(str(child.pid)); {then}"
    )


def children() -> set[int]:
    """Return the ids of the children of this process, zombies too."""
    return {process.pid for process in psutil.Process().children()}


def test_output_and_exit_status_are_returned() -> None:
    done = run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), timeout_s=20)
    assert (done.returncode, done.stdout, done.stderr, done.output) == (3, "out\n", "err\n", "out\nerr\n")
    assert done.duration_s > 0


def test_environment_directory_and_standard_input(tmp_path: Path) -> None:
    program = "import os, sys; print(os.environ['LAB_WORD'], 'PATH' in os.environ, os.getcwd(), sys.stdin.read())"
    done = run(python(program), timeout_s=20, env={"LAB_WORD": "x"}, cwd=tmp_path, stdin="grüße")
    assert done.stdout.split() == ["x", "True", str(tmp_path), "grüße"]


def test_standard_input_is_empty_and_at_its_end() -> None:
    assert run(python("import sys; print(repr(sys.stdin.read()))"), timeout_s=20).stdout == "''\n"


def test_an_error_names_the_python_module_and_not_python() -> None:
    with pytest.raises(ProcessError) as caught:
        run([PYTHON, "-m", "http.server", "--bind", "127.0.0.1", "0"], timeout_s=0.2)
    assert caught.value.what.startswith("http.server did not end within 0 s")


def test_a_program_that_does_not_end_is_ended_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "child"
    program = parent(mark, "print('working', flush=True); time.sleep(60)")
    started, others = time.monotonic(), children()
    with pytest.raises(ProcessError) as caught:
        run(python(program), timeout_s=1.5)
    assert time.monotonic() - started < 20
    assert "did not end within 2 s" in caught.value.what
    assert caught.value.detail == "working\n"
    assert not isinstance(caught.value.__cause__, OSError)
    assert not psutil.pid_exists(int(mark.read_text()))
    assert children() <= others


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a program without a signal")
def test_a_program_may_clean_up_during_the_grace_time(tmp_path: Path) -> None:
    program = (
        "import pathlib, signal, sys, time\n"
        "def clean_up(*_): time.sleep(1.5); pathlib.Path(sys.argv[1]).write_text('clean'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, clean_up); time.sleep(60)"
    )
    for grace_s, cleaned_up in ((0.2, False), (30.0, True)):
        mark = tmp_path / str(grace_s)
        with pytest.raises(ProcessError):
            run((*python(program), str(mark)), timeout_s=1, grace_s=grace_s)
        assert mark.exists() is cleaned_up


def test_a_program_that_cannot_be_ended_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that hangs in a Windows driver or has higher rights."""
    stubborn: list[psutil.Process] = []

    def refuse(process: psutil.Process) -> None:
        stubborn.append(process)
        raise psutil.AccessDenied(process.pid)

    def wait(processes: list[psutil.Process], timeout: float) -> tuple[list[psutil.Process], list[psutil.Process]]:
        return [], list(processes)

    with monkeypatch.context() as patch:
        patch.setattr(psutil.Process, "terminate", refuse)
        patch.setattr(psutil.Process, "kill", refuse)
        patch.setattr(psutil, "wait_procs", wait)
        with pytest.raises(ProcessError, match=r"did not end within 0 s and its processes \d+ cannot be ended"):
            run(python("import time; time.sleep(60)"), timeout_s=0.2)
    stubborn[0].kill()
    stubborn[0].wait(10)


def test_without_leave_to_wait_the_state_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(processes: list[psutil.Process], timeout: float) -> tuple[list[psutil.Process], list[psutil.Process]]:
        raise psutil.AccessDenied(0)

    monkeypatch.setattr(psutil, "wait_procs", refuse)
    monkeypatch.setattr(psutil.Process, "is_running", lambda _: False)
    with pytest.raises(ProcessError, match="and was ended"):
        run(python("import time; time.sleep(60)"), timeout_s=0.2)


def test_a_program_is_waited_for_and_not_its_children_that_live_on(tmp_path: Path) -> None:
    """As `vmrun start gui`, whose window inherits the output and stays."""
    mark = tmp_path / "child"
    program = parent(mark, "print('started')")
    started = time.monotonic()
    done = run(python(program), timeout_s=20)
    child = int(mark.read_text())
    try:
        assert time.monotonic() - started < 15
        assert done.stdout == "started\n"
        assert psutil.pid_exists(child)
    finally:
        end_tree(child)


def test_children_are_kept_if_asked_for(tmp_path: Path) -> None:
    """As a `vmrun start` that hangs: its VM may run well."""
    mark = tmp_path / "child"
    program = parent(mark, "time.sleep(60)")
    others = children()
    with pytest.raises(ProcessError, match="did not end within 10 s and was ended"):
        run(python(program), timeout_s=10, keep_children=True)  # for the child to start on a busy host
    child = int(mark.read_text())
    try:
        assert psutil.pid_exists(child)
        assert children() <= {*others, child}
    finally:
        end_tree(child)


def test_a_program_that_end_running_ends_is_a_failure() -> None:
    outcomes: list[object] = []

    def wait() -> None:
        try:
            outcomes.append(run(python("import time; time.sleep(60)"), timeout_s=50))
        except ProcessError as error:
            outcomes.append(error)

    thread, others = threading.Thread(target=wait, daemon=True), children()
    thread.start()
    while children() <= others and thread.is_alive():
        time.sleep(0.01)
    end_running()
    thread.join(20)
    (outcome,) = outcomes
    assert isinstance(outcome, ProcessError)
    assert "was ended because this session ends" in outcome.what
    assert not isinstance(outcome.__cause__, OSError)
    assert run(python("raise SystemExit(3)"), timeout_s=20).returncode == 3


def test_a_program_that_ends_before_the_session_leaves_no_zombie(tmp_path: Path) -> None:
    pid, _ = start(python("pass"), tmp_path / "log")
    end = time.monotonic() + 20
    while psutil.pid_exists(pid) and time.monotonic() < end:
        time.sleep(0.01)
    assert not psutil.pid_exists(pid)


def test_a_program_that_does_not_exist_or_may_not_run(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("text")
    for path in (tmp_path / "nothing", plain, tmp_path):
        with pytest.raises(ProcessError) as caught:
            run([path, "-gp", "hunter2"], timeout_s=5)
        assert isinstance(caught.value.__cause__, OSError)
        assert "hunter2" not in str(caught.value)
    with pytest.raises(ProcessError, match="cannot start"):
        run_in_terminal([str(tmp_path / "nothing")])


def test_passwords_are_in_no_result() -> None:
    done = run((*python("print('x')"), "-gp", "hunter2"), timeout_s=20)
    assert "hunter2" not in done.argv


def test_the_exit_status_of_a_program_in_the_terminal_is_returned() -> None:
    assert run_in_terminal(list(python("raise SystemExit(5)"))) == 5


def test_a_variable_that_another_thread_removes_meanwhile_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest removes PYTEST_CURRENT_TEST after each test, while the threads of the lab start programs."""

    class Vanishing(UserDict[str, str]):
        reads = 0

        def __getitem__(self, key: str) -> str:
            Vanishing.reads += 1
            if Vanishing.reads == 1:
                raise KeyError(key)
            return super().__getitem__(key)

    monkeypatch.setattr(os, "environ", Vanishing(os.environ))
    assert run([sys.executable, "-c", "print('started')"], timeout_s=60).stdout == "started\n"
    assert Vanishing.reads > 1
