"""The faults that `vmrun-qemu` has on demand.

They run on real QEMU machines whose disks are blank.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import qemu_lab
from click.testing import CliRunner
from qemu_lab import vmrun_fixture
from sessions.fake_lab import FakeLab
from sessions.fake_vmrun import SUFFIX

from harness.cli.main import main
from harness.core.deadline import SYSTEM_CLOCK, Deadline
from harness.core.errors import HarnessError
from harness.core.verdict import Phase, Status
from harness.machine import waiting
from harness.vmrun.driver import Vmrun
from harness.vmrun.parse import StopMode

from .outcome import LATE_S, WORKER, Expected, assert_seen, set_deadlines

__all__ = ["vmrun_fixture"]

pytest_plugins = ("pytester",)
pytestmark = pytest.mark.skipif(
    shutil.which("qemu-system-x86_64") is None or shutil.which("qemu-img") is None, reason="QEMU is not installed"
)

Act = Callable[[Vmrun, Path], object]
Note = Callable[[str, object], None]


@pytest.fixture
def faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of faults that every `vmrun-qemu` of the test reads."""
    file = tmp_path / "faults.txt"
    file.write_text("", encoding="utf-8")
    monkeypatch.setenv("VMRUN_QEMU_FAULTS", f"@{file}")
    monkeypatch.setenv("VMRUN_QEMU_ACCEL", "tcg")
    return file


# -- what the driver makes of it -------------------------------------------------------------------------------------


@pytest.fixture
def driver(vmrun: qemu_lab.Vmrun, faults: Path) -> Vmrun:
    return Vmrun([sys.executable, "-m", "harness.vmrun_qemu"], env={"VMRUN_QEMU_HOME": str(vmrun.home)})


def start(seconds: float) -> Act:
    return lambda driver, vmx: driver.start(vmx, deadline=Deadline(seconds, SYSTEM_CLOCK))


def switch_off(seconds: float, soft_s: float = 0.0) -> Act:
    return lambda driver, vmx: driver.stop_and_verify(vmx, Deadline(seconds, SYSTEM_CLOCK), soft_s=soft_s)


# Faults, whether the machine is on, what is asked, the longest that it may take, part of the first line.
REFUSED: dict[str, tuple[bool, Act, float, str]] = {
    "hang:start": (False, start(3), 3, "vmrun start: harness.vmrun_qemu did not end within "),
    "start-canceled": (False, start(20), 20, "vmrun start failed: "),
    "exit-zero-error:start": (False, start(20), 20, "vmrun start failed: "),
    "file-in-use:start": (False, start(20), 20, "vmrun start failed: another program has the machine open"),
    "hang:stop": (True, switch_off(4, soft_s=1), 4, "vmrun stop: harness.vmrun_qemu did not end within "),
    "hang:list": (True, switch_off(4), 4, "vmrun list: harness.vmrun_qemu did not end within "),
    "exit-zero-error:stop": (True, switch_off(20), 20, "vmrun stop failed: "),
    "list-empty": (True, switch_off(3), 3, "the machine is not in `vmrun list`, but its files are still locked"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_the_driver_says_what_went_wrong_in_time(
    driver: Vmrun, vmrun: qemu_lab.Vmrun, faults: Path, fault: str, record_property: Note
) -> None:
    on, act, limit_s, line = REFUSED[fault]
    vmx = vmrun.machine("one")
    if on:
        driver.start(vmx)
    faults.write_text(fault, encoding="utf-8")
    started = time.monotonic()
    with pytest.raises(HarnessError) as caught:
        act(driver, vmx)
    seconds = time.monotonic() - started
    first = str(caught.value).splitlines()[0]
    assert line in first
    assert seconds <= limit_s + LATE_S
    assert caught.value.remedy
    note(record_property, f"vmrun-qemu: {fault}", line, first, seconds, limit_s)


def restart_twice(driver: Vmrun, vmx: Path) -> bool:
    return driver.start(vmx) or driver.start(vmx)


# What is asked, what it answers, whether the machine runs afterwards.
MENDED: dict[str, tuple[Act, object, bool]] = {
    "soft-stop-hangs": (switch_off(20, soft_s=2), StopMode.HARD, False),
    "reset-off": (lambda driver, vmx: driver.reset(vmx), None, True),
    "already-running": (restart_twice, False, True),
}


@pytest.mark.parametrize("fault", MENDED)
def test_the_driver_gets_there_all_the_same(
    driver: Vmrun, vmrun: qemu_lab.Vmrun, faults: Path, fault: str, record_property: Note
) -> None:
    act, answer, runs = MENDED[fault]
    vmx = vmrun.machine("one")
    driver.start(vmx)
    faults.write_text(fault, encoding="utf-8")
    started = time.monotonic()
    assert act(driver, vmx) == answer
    seconds = time.monotonic() - started
    faults.write_text("", encoding="utf-8")
    assert driver.is_running(vmx) is runs
    note(record_property, f"vmrun-qemu: {fault}", "done", "done", seconds, "")


# -- what a run says of it -------------------------------------------------------------------------------------------

BOOT, RUNNING, ERROR = Phase.BOOT, "running", Status.ERROR
# The phase has called vmrun-qemu some times when its deadline begins, which a busy host takes seconds for.
RUNS: dict[str, Expected] = {
    f"start-canceled/{WORKER}": Expected(
        BOOT, RUNNING, "vmware.log: VMRUN_QEMU_FAULTS: start-canceled: ", "vmware.log", 20, ERROR
    ),
    f"exit-zero-error:start/{WORKER}": Expected(BOOT, RUNNING, "vmrun start failed: ", "by hand", 20, ERROR),
    f"hang:start/{WORKER}": Expected(
        BOOT, RUNNING, "harness.vmrun_qemu did not end within ", "Workstation window", 15, ERROR
    ),
    "hang:list#4+": Expected(
        BOOT, RUNNING, "vmrun list: harness.vmrun_qemu did not end within ", "Workstation window", 15, ERROR
    ),
    f"file-in-use:start/{WORKER}": Expected(BOOT, RUNNING, "has the machine open", "lab down", 20, ERROR),
}


@pytest.fixture
def real_lab(fake_lab: FakeLab, faults: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLab]:
    """The lab of stand-ins on the embedded hypervisor.

    Its seeds cannot boot, and nothing of it is left.
    """
    fake_lab.edit(f"vmrun: ../bin/vmrun{SUFFIX}", "vmrun: embedded")
    monkeypatch.setattr(waiting, "_POWER_CHECK_S", 1.0)
    yield fake_lab
    faults.write_text("", encoding="utf-8")
    done = CliRunner().invoke(main, ["down", "--lab", str(fake_lab.lab_file), "--overlay", "stand-in"])
    assert done.exit_code == 0, done.output
    assert processes(fake_lab.path) == []
    assert not fake_lab.vms.exists() or list(fake_lab.vms.iterdir()) == []


def processes(folder: Path) -> list[str]:
    lines = [" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(folder) in line]


@pytest.mark.parametrize("fault", RUNS)
def test_a_run_names_the_fault(real_lab: FakeLab, faults: Path, fault: str, record_property: Note) -> None:
    expected = RUNS[fault]
    if fault.startswith("hang"):
        # `start` has to end before `list` hangs, and takes some seconds on a busy host.
        set_deadlines(real_lab, {"boot": 8 if fault.startswith("hang:list") else 5})
    faults.write_text(fault, encoding="utf-8")
    result = real_lab.run("scenarios/test_30_boot.py", "-k", f"{WORKER} or environment")
    line, seconds = assert_seen(real_lab, result, expected)
    note(record_property, f"run on vmrun-qemu: {fault}", str(expected), line, seconds, expected.limit_s)


def note(record_property: Note, fault: str, expected: str, seen: str, seconds: float, limit_s: object) -> None:
    """Add a row to the table of faults."""
    row = {"fault": fault, "expected": expected, "seen": seen, "seconds": f"{seconds:.1f}", "at most": limit_s}
    record_property("fault", json.dumps(row))
