"""Processes: run to the end, ended, started as a daemon."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from harness.system.process_identity import Identity, alive, identity
from harness.vmrun_qemu.base import process

SLEEP = [sys.executable, "-c", "input()"]


def test_output_and_status_of_a_program() -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    status, output = process.run([sys.executable, "-u", "-c", code], 60)
    assert (status, output) == (3, "out\nerr\n")


def test_a_program_that_is_missing_has_a_reason() -> None:
    status, output = process.run(["/no/such/program"], 60)
    assert status == -1
    assert output.startswith("cannot start /no/such/program: ")


def test_a_program_that_takes_too_long_has_a_reason() -> None:
    status, output = process.run([sys.executable, "-c", "import time; time.sleep(60)"], 0.2)
    assert (status, output) == (-1, f"{sys.executable} did not end within 0 s")


def test_a_process_is_ended_by_its_identity() -> None:
    with subprocess.Popen(SLEEP, stdin=subprocess.PIPE) as child:
        target = identity(child.pid)
        other: Identity = {"pid": child.pid, "created": target["created"] + 1000}
        process.end(other)
        assert alive(target)
        process.end(target)
        assert not alive(target)


def test_a_child_that_does_not_end_is_killed() -> None:
    with subprocess.Popen(SLEEP, stdin=subprocess.PIPE) as child:
        assert not process.ended(child, 0.05)
        assert process.end_soon(child, 0.05)
        assert child.poll() is not None


def test_the_first_line_is_read_and_no_more() -> None:
    with subprocess.Popen([sys.executable, "-c", "print('one'); print('two')"], stdout=subprocess.PIPE) as child:
        assert process.first_line(child, 60) == "one"


def test_a_process_that_prints_nothing_has_no_first_line() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as child:
        assert process.first_line(child, 60) == ""


def test_the_tail_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert process.tail(log) == ""
    log.write_text("".join(f"{number}\n" for number in range(9)), encoding="utf-8")
    assert process.tail(log, 3) == "6 / 7 / 8"
