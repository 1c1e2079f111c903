"""`kill -9` at every point of a run leaves nothing behind.

At every phase boundary, in the middle of every command, and at random moments.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.down import remove_lab
from harness.core.verdict import Phase
from harness.lab.selection import driver, lock, select
from harness.ownership.lab_lock import is_held
from harness.system.process_tree import end_tree

from .fake_kill import VARIABLE
from .fake_lab import OPTIONS, FakeLab
from .test_outcomes import part, run_json

pytest_plugins = ("pytester",)
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")

_LIMIT_S = 120
# Where the process kills itself: at both sides of each phase boundary, of the ledger's changes, and of the end.
BOUNDARIES = [f"{kind}:{phase.value}:after" for phase in Phase for kind in ("phase-start", "phase-end")]
BOUNDARIES.remove("phase-start:guests:after")  # it has no beginning: its tests are its work
LEDGER = [f"ledger:{number}:{side}" for number in (1, 2, 4, 7) for side in ("before", "after")]
END = ["run-start::before", "run-end::before", "run-end::after"]
# The calls during which it is killed; the call itself goes on, as a `vmrun` does whose parent is gone.
CALLS = ["vmware-vdiskmanager", "setPortForwarding", "start", "stop", "list"]
RANDOM = 14
POINTS = [*BOUNDARIES, *LEDGER, *END, *(f"call:{name}:1" for name in CALLS), "call:start:3"]
POINTS += [f"random:{number}:" for number in range(50 - len(POINTS))]
GROUPS = [POINTS[start::5] for start in range(5)]


class Crashed:
    """A lab among decoys, run in processes that are killed."""

    def __init__(self, lab: FakeLab) -> None:
        self.lab = lab
        self.plant()
        self.before = lab.tree()
        self.rules = dict(lab.vmrun.rules)

    def plant(self) -> None:
        """Create files of others beside and inside the lab."""
        vms, path = self.lab.vms, self.lab.path
        for file in ("vms/other/other.vmx", "vms/k3s-worker1/thesis.docx", "treasure/k3s-worker2.vmdk"):
            (path / file).parent.mkdir(parents=True, exist_ok=True)
            (path / file).write_text('displayName = "not of this lab"\n', encoding="utf-8")
        (vms / "k3s-worker2").mkdir()
        (vms / "k3s-worker2" / "pictures").symlink_to(path / "treasure", target_is_directory=True)
        (vms / "elsewhere").symlink_to(path / "treasure", target_is_directory=True)

    def run_and_kill(self, point: str, seed: int) -> None:
        """Run the scenarios until they are killed at that point."""
        kind, what, number = point.split(":")
        inside = "none::" if kind in ("call", "random") else point
        environ = {
            **os.environ,
            VARIABLE: inside,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
        }
        argv = [sys.executable, "-m", "pytest", "-p", "fake_kill", *OPTIONS]
        log = (self.lab.path / "guests" / "pytest.log").open("w")
        with (
            log,
            subprocess.Popen([*argv, "scenarios"], cwd=self.lab.path, env=environ, stdout=log, stderr=log) as child,
        ):
            try:
                if kind == "call":
                    self.lab.vmrun.on_call = lambda: self._kill_at_call(child, what, int(number))
                if kind == "random":
                    child.wait(random.Random(seed).uniform(0.5, 5.0))
                child.wait(_LIMIT_S)
            except subprocess.TimeoutExpired:
                assert kind == "random", f"{point} was not reached: {log.name}"
                child.send_signal(signal.SIGKILL)
                child.wait()
            finally:
                self.lab.vmrun.on_call = lambda: None
                end_tree(child.pid)
        if kind != "random":
            assert child.returncode == -signal.SIGKILL, f"{point} was not reached: {Path(log.name).read_text()[-3000:]}"

    def _kill_at_call(self, child: subprocess.Popen[bytes], what: str, number: int) -> None:
        names = [call[0] if call[0] == what else call[1] for call in self.lab.vmrun.calls if len(call) > 1]
        if names.count(what) >= number:
            child.send_signal(signal.SIGKILL)

    def assert_nothing_left(self, point: str) -> None:
        assert self.lab.tree() == self.before, point
        assert self.lab.vmrun.running == {}, point
        assert self.lab.vmrun.rules == self.rules, point
        assert not is_held(self.lab.vms)


@pytest.fixture
def crashed(fake_lab: FakeLab) -> Crashed:
    (fake_lab.path / "guests").mkdir(exist_ok=True)
    return Crashed(fake_lab)


def test_there_are_fifty_kills_and_every_phase_has_its_boundaries() -> None:
    assert sum(map(len, GROUPS)) == len(set(POINTS)) == 50


@pytest.mark.parametrize("group", range(len(GROUPS)))
def test_after_each_kill_lab_down_leaves_nothing(crashed: Crashed, group: int) -> None:
    lab = crashed.lab
    for seed, point in enumerate(GROUPS[group]):
        lab.vmrun.calls.clear()
        crashed.run_and_kill(point, 100 * group + seed)
        selection = select(lab.lab_file, overlay="stand-in")
        with lock(selection):
            remove_lab(selection, driver(selection), lambda _: None)
        crashed.assert_nothing_left(point)


@pytest.mark.parametrize("point", ["phase-end:creation:after", "call:start:2", "phase-start:iso-detached:after"])
def test_after_a_kill_the_next_run_is_green_and_leaves_nothing(crashed: Crashed, point: str) -> None:
    crashed.run_and_kill(point, 0)
    result = crashed.lab.run(*part("30_boot"), "--keep=never")
    assert result.ret == 0
    assert "lock taken over: its owner ended without releasing it" in result.stderr.str()
    assert run_json(crashed.lab)["exit_status"] == 0
    crashed.assert_nothing_left(point)
