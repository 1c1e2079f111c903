"""Images of the payload and of the registry."""

from __future__ import annotations

import json

import pytest
from cluster_samples import NAMES, pod, waiting

from harness.cluster.images import judge_images, judge_registry_image, parse_images
from harness.cluster.pods import pod_of
from harness.core.verdict import Status

PAUSE, BUSYBOX = "docker.io/rancher/pause:3.1", "docker.io/library/busybox:lab"
DIGEST = "sha256:" + "a" * 64
IMAGE = f"192.168.6.1:5000/lab/cluster-probe@{DIGEST}"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (json.dumps({"images": [{"repoTags": [PAUSE]}, {"repoTags": []}, {}]}), {PAUSE}),
        ('{"images": []}', set()),
        ('{"images": null}', set()),
        ("", None),
        ("{}", None),
        ('{"images": [{"repoTags": [', None),
        ('time="…" level=fatal msg="connect: no such file"', None),
    ],
)
def test_the_list_of_a_node_is_parsed(text: str, names: set[str] | None) -> None:
    assert parse_images(text) == names


def test_every_image_of_the_payload_is_on_every_node() -> None:
    both = frozenset({PAUSE, BUSYBOX, "docker.io/other:1"})
    assert judge_images({PAUSE, BUSYBOX}, dict.fromkeys(NAMES, both)).status is Status.PASS
    check = judge_images({PAUSE, BUSYBOX}, {"m": both, "w": frozenset({"docker.io/rancher/pause:3.10", BUSYBOX})})
    assert (check.status, check.seen) == (Status.FAIL, f"w: {PAUSE} missing")


def test_a_node_that_does_not_answer_is_not_proven_unless_another_lacks_an_image() -> None:
    assert judge_images({PAUSE}, {"m": frozenset({PAUSE}), "w": "no connection"}).status is Status.NOT_PROVEN
    assert judge_images({PAUSE}, {"m": frozenset(), "w": "no connection"}).status is Status.FAIL


def pods(**changes: object) -> list[object]:
    found = {name: pod(f"probe-{name}", name, containerStatuses=[{"ready": True, "imageID": IMAGE}]) for name in NAMES}
    found.update(changes)  # type: ignore[arg-type]
    return [pod_of(item) for item in found.values() if item]


def registry(**changes: object) -> tuple[Status, str]:
    check = judge_registry_image(pods(**changes), NAMES, DIGEST)  # type: ignore[arg-type]
    return check.status, check.seen


def test_the_image_of_the_registry_runs_on_every_node_with_its_digest() -> None:
    assert registry()[0] is Status.PASS


def test_another_digest_a_missing_pod_and_a_pod_that_cannot_pull_fail() -> None:
    other = pod("p", "k3s-worker1", containerStatuses=[{"ready": True, "imageID": "x@sha256:" + "b" * 64}])
    status, seen = registry(**{"k3s-worker1": other})
    assert status is Status.FAIL
    assert "k3s-worker1: runs x@sha256:bbb" in seen
    assert registry(**{"k3s-worker1": None}) == (Status.FAIL, "k3s-worker1: no pod")
    unknown = "x509: certificate signed by unknown authority"
    refused = pod(
        "p", "k3s-worker1", phase="Pending", conditions=[], containerStatuses=waiting("ErrImagePull", unknown)
    )
    status, seen = registry(**{"k3s-worker1": refused})
    assert status is Status.FAIL
    assert unknown in seen
    assert registry(**{"k3s-worker1": pod("p", "k3s-worker1")})[0] is Status.FAIL, "no image id"
    ended = pod("p", "k3s-worker1", phase="Succeeded", containerStatuses=[{"ready": False, "imageID": IMAGE}])
    assert registry(**{"k3s-worker1": ended})[0] is Status.FAIL, "it does not run"
