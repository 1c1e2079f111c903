"""The matrix of faults with stand-in guests.

Each is red, in time, and its first line names the cause.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sessions.fake_lab import FakeLab

from harness.lab.selection import select
from harness.machine import waiting
from harness.ownership.lab_lock import lab_lock

from .guest_faults import GUEST_FAULTS
from .host_faults import HOST_FAULTS, LIES
from .outcome import WORKER, Fault, assert_seen, set_deadlines

pytest_plugins = ("pytester",)

FAULTS = {fault.name: fault for fault in (*GUEST_FAULTS, *HOST_FAULTS)}


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask `vmrun list` every second during a wait, to save time."""
    monkeypatch.setattr(waiting, "_POWER_CHECK_S", 1.0)


@pytest.mark.parametrize("name", FAULTS)
def test_fault(fake_lab: FakeLab, name: str, record_property: Callable[[str, object], None]) -> None:
    fault: Fault = FAULTS[name]
    set_deadlines(fake_lab, fault.deadlines)
    fault.make(fake_lab)
    result = fake_lab.run(f"scenarios/test_{fault.upto}.py", "-k", f"{WORKER} or environment")
    row = {"fault": name, "expected": str(fault.expected), "seen": "", "seconds": "", "at most": fault.expected.limit_s}
    line, seconds = assert_seen(fake_lab, result, fault.expected)
    record_property("fault", json.dumps({**row, "seen": line, "seconds": f"{seconds:.1f}"}))


@pytest.mark.parametrize("name", LIES)
def test_a_harmless_lie_is_not_believed(
    fake_lab: FakeLab, name: str, record_property: Callable[[str, object], None]
) -> None:
    LIES[name](fake_lab)
    result = fake_lab.run("scenarios/test_80_guests.py", "-k", WORKER)
    assert result.ret == 0
    seen = {"expected": "green", "seen": "green", "seconds": f"{result.duration:.1f}", "at most": ""}
    record_property("fault", json.dumps({"fault": name, **seen}))


def test_a_second_run_in_parallel(fake_lab: FakeLab, record_property: Callable[[str, object], None]) -> None:
    chosen = select(fake_lab.lab_file, overlay="stand-in")
    with lab_lock(chosen.vm_directory, chosen.spec.name):
        result = fake_lab.run("scenarios/test_30_boot.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    line = next(line for line in result.errlines if line.startswith("ERROR: "))
    assert "another session" in line
    assert fake_lab.vmrun.verbs() == []
    seen = {"expected": "exit 4: another session", "seen": line, "seconds": f"{result.duration:.1f}", "at most": ""}
    record_property("fault", json.dumps({"fault": "second run started in parallel", **seen}))
