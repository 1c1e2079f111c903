"""A process is identified by id and starting time."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from harness.system.process_identity import _started_by_psutil, alive, identity


def test_this_process_is_alive_and_an_earlier_one_of_its_id_is_not() -> None:
    me = identity(os.getpid())
    assert alive(me)
    assert not alive({"pid": me["pid"], "created": me["created"] - 3})


def test_a_process_that_ended_is_gone_even_before_it_is_reaped() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    who = identity(child.pid)
    assert alive(who)
    assert child.stdin is not None
    child.stdin.close()
    if sys.platform == "linux":
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not alive(who)
    child.wait(timeout=10)
    assert not alive(who)


def test_a_process_that_does_not_exist_is_not_alive() -> None:
    missing = identity(4_000_000)
    assert missing == {"pid": 4_000_000, "created": 0.0}
    assert not alive(missing)


def test_proc_and_psutil_agree() -> None:
    by_psutil = _started_by_psutil(os.getpid())
    assert by_psutil is not None
    if sys.platform == "linux":
        started = identity(os.getpid())["created"]
        assert started + psutil.boot_time() == pytest.approx(by_psutil, abs=3)
    assert _started_by_psutil(4_000_000) is None
