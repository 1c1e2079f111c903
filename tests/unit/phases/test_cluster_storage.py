"""Storage: the default class is used; a pod that cannot read fails."""

from __future__ import annotations

from harness.cluster.workload import Workload
from harness.core.verdict import Status
from harness.machine.context import RunContext
from harness.phases.cluster_access import Access
from harness.phases.cluster_storage import judge_storage, storage_class

from .fake_k3s import FakeK3s

WORKLOAD = Workload("airgap-lab", "run-1", "image", always=False)
FIRST = {"kind": "StorageClass", "metadata": {"name": "first"}}
DEFAULT = {
    "kind": "StorageClass",
    "metadata": {"name": "local", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
}


def access_of(k3s: FakeK3s) -> Access:
    machines = tuple(k3s.machines())
    return Access(machines[0], machines, machines[0].deadline(30))


def test_the_default_class_is_used() -> None:
    assert storage_class((FIRST, DEFAULT)) == "local"
    assert storage_class((FIRST,)) == "first"
    assert storage_class(()) == ""


def test_what_one_pod_wrote_another_one_reads(context: RunContext) -> None:
    k3s = FakeK3s(context)
    k3s.storage = [DEFAULT]
    assert judge_storage(access_of(k3s), WORKLOAD).status is Status.PASS
    deleted = next(number for number, text in enumerate(k3s.commands) if "delete pod probe-write" in text)
    assert "probe-write" in k3s.commands[1]
    assert any("probe-read" in text for text in k3s.commands[deleted:])


def test_a_volume_that_is_never_there_fails(context: RunContext) -> None:
    k3s = FakeK3s(context)
    k3s.storage = [DEFAULT]
    k3s.answers["get pods --namespace"] = (0, '{"items": []}')
    check = judge_storage(access_of(k3s), WORKLOAD)
    assert (check.status, "probe-write: missing" in check.seen) == (Status.FAIL, True)


def test_without_a_class_it_is_not_asked_and_without_an_answer_not_proven(context: RunContext) -> None:
    k3s = FakeK3s(context)
    assert judge_storage(access_of(k3s), WORKLOAD).status is Status.NOT_ASKED
    k3s.answers["get storageclasses"] = (1, "refused")
    assert judge_storage(access_of(k3s), WORKLOAD).status is Status.NOT_PROVEN
