"""Machines that another program has open."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from harness.core.verdict import Status
from harness.preflight.collect import open_machines
from harness.preflight.facts import Fact

from .samples import PLAN, check, good_facts, lab_in

GOOD = good_facts(PLAN)
NAME = "no other lab here"
LOCK = "k3s-master1.vmx.lck of vmware.exe, process 4711"


def test_a_machine_that_a_workstation_window_has_open_fails_before_anything_is_built() -> None:
    found = check(NAME, replace(GOOD, open_in=Fact({"k3s-master1": (LOCK,)})))
    assert found.status is Status.FAIL
    assert (found.expected, found.seen) == (
        "no other program has the files of a machine open",
        f"k3s-master1: {LOCK}",
    )
    assert "close its tab in the Workstation window" in found.remedy


def test_a_running_machine_has_locks_of_its_own() -> None:
    files = PLAN.machine("k3s-master1").files
    running = Fact[tuple[Path, ...]]((files.vmx,))
    registered = Fact[tuple[Path, ...]]((files.directory,))
    facts = replace(GOOD, running=running, registered=registered, open_in=Fact({"k3s-master1": (LOCK,)}))
    assert check(NAME, facts).status is Status.PASS


def test_locks_that_cannot_be_read_are_an_error() -> None:
    assert check(NAME, replace(GOOD, open_in=Fact(problem="Permission denied"))).status is Status.ERROR


def test_the_locks_of_programs_that_run_are_collected(tmp_path: Path) -> None:
    plan = lab_in(tmp_path)
    assert open_machines(plan) == {}
    for machine, pid in zip(plan.machines, (str(os.getpid()), "4194999", "unknown"), strict=True):
        lock = machine.files.directory / f"{machine.name}.vmx.lck"
        lock.mkdir(parents=True)
        (lock / "M12345.lck").write_bytes(b"\0" + f"{pid}-1234567890(vmware.exe)".encode() + b"\0")
    first = plan.machines[0].name
    assert open_machines(plan) == {first: (f"{first}.vmx.lck of vmware.exe, process {os.getpid()}",)}
