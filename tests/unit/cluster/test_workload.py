"""What a run puts into a cluster, and takes away."""

from __future__ import annotations

import json
import subprocess

from needs import posix_paths

from harness.cluster.workload import (
    OWNER_LABEL,
    ServiceAddress,
    Workload,
    apply_command,
    delete_command,
    in_pod,
    service_of,
)

WORKLOAD = Workload("airgap-lab", "2026-01-02T03-04-05-abcd", "192.168.6.1:5000/lab/probe:x", always=True)


def test_everything_is_in_a_namespace_of_the_run_and_marked_with_the_lab() -> None:
    namespace, *others = WORKLOAD.objects()
    assert namespace["metadata"] == {
        "name": "airgap-lab-2026-01-02t03-04-05-abcd",
        "labels": {OWNER_LABEL: "airgap-lab"},
    }
    assert {one["kind"] for one in others} == {"DaemonSet", "Service"}
    assert {one["metadata"]["namespace"] for one in others} == {WORKLOAD.namespace}
    assert f"--selector={OWNER_LABEL}=airgap-lab" in delete_command("airgap-lab", wait_s=9)
    assert "--wait=false" in delete_command("airgap-lab", wait_s=0)


def test_a_namespace_has_a_valid_name_whatever_the_run_is_called() -> None:
    long = Workload("lab", "X" * 80 + "_", "image", always=False).namespace
    assert len(long) == 63
    assert set(long) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_each_node_pulls_the_image_and_runs_a_pod_also_a_master() -> None:
    daemon_set = WORKLOAD.objects()[1]["spec"]["template"]["spec"]
    (container,) = daemon_set["containers"]
    assert (container["image"], container["imagePullPolicy"]) == (WORKLOAD.image, "Always")
    assert daemon_set["tolerations"] == [{"operator": "Exists"}]
    assert Workload("l", "r", "i", always=False).container("x")["imagePullPolicy"] == "IfNotPresent"


def test_the_objects_are_sent_as_one_document() -> None:
    document = apply_command(WORKLOAD.objects()).split("\n")[1]
    assert len(json.loads(document)["items"]) == 3


def test_the_addresses_of_the_service_are_read() -> None:
    meta = {"namespace": WORKLOAD.namespace, "name": "probe"}
    service = {"kind": "Service", "metadata": meta, "spec": {"clusterIP": "10.43.7.7", "ports": [{"nodePort": 30123}]}}
    other = {"kind": "Service", "metadata": {"namespace": "x", "name": "probe"}, "spec": service["spec"]}
    assert service_of((other, service), WORKLOAD.namespace) == ServiceAddress("10.43.7.7", 30123)
    assert service_of((other,), WORKLOAD.namespace) is None
    assert service_of(({**service, "spec": {"ports": []}},), WORKLOAD.namespace) is None


@posix_paths
def test_a_node_without_the_pod_says_so() -> None:
    command = in_pod("AIRGAP_LAB_RUN=no-such-run", "true")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (3, "no process of the pod on this node\n")
