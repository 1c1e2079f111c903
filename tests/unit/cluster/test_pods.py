"""Pods: ready or done, or the reason why not."""

from __future__ import annotations

from typing import Any

import pytest
from cluster_samples import pod, waiting

from harness.cluster.pods import judge_kubesphere, judge_system_pods, pod_of, pods_in, shortage
from harness.core.verdict import Status

NOT_READY = [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]
LOOPING = {
    "name": "coredns",
    "ready": False,
    "restartCount": 7,
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": {"terminated": {"reason": "Error", "exitCode": 1}},
}
APPARMOR = "failed to get apparmor_parser version: executable file not found in $PATH"


@pytest.mark.parametrize(
    ("item", "trouble"),
    [
        (pod("a"), ""),
        (pod("a", phase="Succeeded", conditions=NOT_READY), ""),
        (
            pod(
                "a",
                phase="Pending",
                conditions=NOT_READY,
                containerStatuses=waiting("ImagePullBackOff", "no host"),
            ),
            "Pending; ImagePullBackOff: no host",
        ),
        (
            pod("a", conditions=NOT_READY, containerStatuses=waiting("CreateContainerError", APPARMOR)),
            f"CreateContainerError: {APPARMOR}",
        ),
        (
            pod("a", phase="Pending", conditions=NOT_READY, initContainerStatuses=waiting("ErrImageNeverPull")),
            "ErrImageNeverPull",
        ),
        (
            pod(
                "a",
                node="",
                phase="Pending",
                conditions=[
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"},
                ],
            ),
            "Unschedulable: 0/3 nodes",
        ),
        (
            pod("a", conditions=NOT_READY, containerStatuses=[LOOPING]),
            "container coredns ended 7 times (Error 1)",
        ),
        (pod("a", phase="Failed", conditions=[], reason="Evicted", message="low on disk"), "Evicted: low on disk"),
        (pod("a", phase="Unknown", conditions=[]), "Unknown"),
        (pod("a", phase="Failed"), "Failed"),
        (pod("a", conditions=[]), "Running"),
        ({"metadata": {"name": "a", "namespace": "kube-system"}}, "no phase"),
    ],
)
def test_a_pod_says_why_it_is_not_ready(item: dict[str, Any], trouble: str) -> None:
    found = pod_of(item).trouble
    assert trouble in found
    assert bool(found) is bool(trouble)


def test_a_pod_that_is_being_deleted_is_not_ready() -> None:
    item = pod("a")
    item["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert pod_of(item).trouble == "is being deleted"


def test_system_pods_have_to_be_ready() -> None:
    good, bad = pod("coredns-1"), pod("metrics-1", phase="Pending", conditions=NOT_READY)
    assert judge_system_pods((good,)).status is Status.PASS
    check = judge_system_pods((good, bad, pod("mine", namespace="default", phase="Pending", conditions=[])))
    assert (check.status, check.seen) == (Status.FAIL, "kube-system/metrics-1 on k3s-worker1: Pending")


def test_a_controller_without_its_pods_fails() -> None:
    meta = {"namespace": "kube-system", "name": "coredns"}
    missing = {"kind": "Deployment", "metadata": meta, "spec": {"replicas": 1}, "status": {}}
    check = judge_system_pods((missing,))
    assert (check.status, check.seen) == (Status.FAIL, "Deployment coredns: 0 of 1 pods ready")
    other = {**missing, "metadata": {"namespace": "default", "name": "mine"}}
    assert judge_system_pods((pod("coredns-1"), other)).status is Status.PASS, "of another namespace"


@pytest.mark.parametrize(
    ("kind", "spec", "status", "text"),
    [
        ("Deployment", {"replicas": 0}, {}, ""),
        ("Deployment", {}, {"readyReplicas": 1}, ""),
        ("Deployment", {}, {}, "Deployment x: 0 of 1 pods ready"),
        ("DaemonSet", {}, {"desiredNumberScheduled": 3, "numberReady": 2}, "DaemonSet x: 2 of 3 pods ready"),
        ("DaemonSet", {}, {"desiredNumberScheduled": 3, "numberReady": 3}, ""),
        ("Pod", {}, {}, ""),
    ],
)
def test_a_controller_counts_its_pods(kind: str, spec: dict[str, Any], status: dict[str, Any], text: str) -> None:
    assert shortage({"kind": kind, "metadata": {"name": "x"}, "spec": spec, "status": status}) == text


def test_a_cluster_that_leaves_every_component_out_is_not_asked() -> None:
    assert judge_system_pods((pod("mine", namespace="default"),)).status is Status.NOT_ASKED


@pytest.mark.parametrize(
    ("items", "answer", "status"),
    [
        ((pod("ks-console", namespace="kubesphere-system"),), "HTTP 302 Found", Status.PASS),
        ((pod("ks-console", namespace="kubesphere-system"),), "HTTP 200 OK", Status.PASS),
        ((pod("ks-console", namespace="kubesphere-system"),), "HTTP 503 Service Unavailable", Status.FAIL),
        ((pod("ks-console", namespace="kubesphere-system"),), "TimeoutError: timed out", Status.FAIL),
        ((pod("ks-console", namespace="kubesphere-system"),), "error 302", Status.FAIL),
        ((), "HTTP 200 OK", Status.FAIL),
        (
            (pod("ks", namespace="kubesphere-system", phase="Pending", conditions=[]),),
            "HTTP 200 OK",
            Status.FAIL,
        ),
    ],
)
def test_kubesphere_answers_and_its_pods_are_ready(items: tuple[Any, ...], answer: str, status: Status) -> None:
    assert judge_kubesphere(items, answer, "192.168.6.10:30880").status is status


def test_pods_are_known_by_namespace_and_node() -> None:
    items = (pod("a", namespace="x"), pod("b", "k3s-worker2", namespace="x"), pod("c"))
    assert [one.name for one in pods_in(items, "x")] == ["a", "b"]
    assert [one.node for one in pods_in(items, "x")] == ["k3s-worker1", "k3s-worker2"]
