"""Names of one place, and what runs there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.preflight.facts import Fact
from harness.preflight.places import comparable, inside, runs

from .samples import PLAN, good_facts

GOOD = good_facts(PLAN)


@pytest.mark.parametrize(
    ("platform", "one", "other"), [("win32", r"F:\VMs\Lab", "f:/vms/lab/"), ("linux", "/vms/lab/", "/vms/lab")]
)
def test_two_names_of_one_place_are_equal(platform: str, one: str, other: str) -> None:
    facts = replace(GOOD, platform=platform)
    assert comparable(one, facts) == comparable(other, facts)


def test_a_place_is_below_its_parents_alone() -> None:
    assert inside("/vms/lab/a", "/vms/lab")
    assert not inside("/vms/lab2", "/vms/lab")


def test_a_machine_runs_if_vmrun_lists_its_vmx() -> None:
    machine = PLAN.machines[0]
    assert runs(machine, replace(GOOD, running=Fact((machine.files.vmx,))))
    assert not runs(machine, replace(GOOD, running=Fact((Path("/other.vmx"),))))
