from __future__ import annotations

import pytest

from harness.preflight.checks import ErrorClass, HostCheck, check_names, error_class
from harness.preflight.judge import judge_all
from preflight.samples import MACHINES, good_facts, plan_of


def test_names_are_known_without_a_host_and_are_those_that_are_judged() -> None:
    plan = plan_of()
    names = check_names(MACHINES)
    assert tuple(check.name for check in judge_all(plan, good_facts(plan))) == names
    assert len(set(names)) == len(names) == len(HostCheck) + 2 * (len(MACHINES) - 1)
    assert "seed ISO of k3s-worker2" in names


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("rights", ErrorClass.RIGHTS),
        ("hypervisor", ErrorClass.VMWARE),
        ("vmrun answers", ErrorClass.VMWARE),
        ("network", ErrorClass.NETWORK),
        ("subnet", ErrorClass.NETWORK),
        ("free disk space", ErrorClass.DISK_SPACE),
        ("seed directory", ErrorClass.ISO),
        ("seed ISO of k3s-master1", ErrorClass.ISO),
        ("way in to k3s-master1", ErrorClass.NETWORK),
    ],
)
def test_each_check_has_its_error_class(name: str, kind: ErrorClass) -> None:
    assert error_class(name) is kind


def test_every_name_has_a_class_and_no_other_has() -> None:
    assert {error_class(name) for name in check_names(["m"])} == set(ErrorClass)
    with pytest.raises(KeyError):
        error_class("weather")
