"""Processes are told apart by id and starting time."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from harness.system import process_identity as pids


def test_this_process_is_alive_and_somebody_with_its_id_from_before_is_not() -> None:
    me = pids.identity(os.getpid())
    assert pids.alive(me)
    assert not pids.alive({"pid": me["pid"], "created": me["created"] - 3})


def test_a_process_that_ended_is_gone_even_before_it_is_reaped() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    who = pids.identity(child.pid)
    assert pids.alive(who)
    assert child.stdin is not None
    child.stdin.close()
    if sys.platform == "linux":
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not pids.alive(who)
    child.wait(timeout=10)
    assert not pids.alive(who)


def test_nobody_is_never_alive() -> None:
    nobody = pids.identity(4_000_000)
    assert nobody == {"pid": 4_000_000, "created": 0.0}
    assert not pids.alive(nobody)


def test_both_ways_of_asking_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    by_psutil = pids._started_by_psutil(os.getpid())
    assert by_psutil is not None
    if sys.platform == "linux":
        started = pids.identity(os.getpid())["created"]
        assert started + psutil.boot_time() == pytest.approx(by_psutil, abs=3)
    assert pids._started_by_psutil(4_000_000) is None
