"""Pods of a run: what could not be asked from one is not proven."""

from __future__ import annotations

from harness.cluster.workload import Workload
from harness.core.verdict import Check, Status
from harness.machine.context import RunContext
from harness.phases.cluster_access import Access
from harness.phases.cluster_workload import Probing

from .fake_k3s import FakeK3s

WORKLOAD = Workload("airgap-lab", "run-1", "image", always=False)


def probing_of(k3s: FakeK3s) -> Probing:
    machines = tuple(k3s.machines())
    return Probing(Access(machines[0], machines, machines[0].deadline(30)), WORKLOAD)


def asked(k3s: FakeK3s) -> list[Status]:
    probing = probing_of(k3s)
    found: list[Check] = [probing.start("", ""), *probing.judge_network()]
    return [check.status for check in found]


def test_objects_that_the_api_refuses_fail_and_nothing_is_asked(context: RunContext) -> None:
    k3s = FakeK3s(context)
    k3s.answers["apply -f -"] = (1, "namespaces is forbidden")
    assert asked(k3s) == [Status.FAIL, *[Status.NOT_PROVEN] * 4]


def test_a_node_without_a_python_or_a_process_of_the_pod_is_not_proven(context: RunContext) -> None:
    k3s = FakeK3s(context)
    k3s.answers["nsenter"] = (3, "no process of the pod on this node")
    assert asked(k3s) == [Status.PASS, Status.NOT_PROVEN, Status.NOT_PROVEN, Status.PASS, Status.NOT_PROVEN]


def test_a_pod_that_reaches_nothing_at_all_proves_no_closed_way(context: RunContext) -> None:
    k3s = FakeK3s(context)
    k3s.reaches_master = False
    assert asked(k3s)[-1] is Status.NOT_PROVEN


def test_an_api_that_falls_silent_leaves_the_network_unproven(context: RunContext) -> None:
    k3s = FakeK3s(context)
    k3s.answers["get services --all-namespaces"] = (1, "refused")
    assert asked(k3s) == [Status.PASS, *[Status.NOT_PROVEN] * 4]
