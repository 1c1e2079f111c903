"""Images of the payload on every node, and of the registry. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from harness.cluster.checks import IMAGES, REGISTRY_IMAGE
from harness.cluster.pods import Pod
from harness.core.json_text import parse_json
from harness.core.verdict import Check

LIST_COMMAND = "/usr/local/bin/k3s crictl images -o json"
_SHOWN = 6


def parse_images(stdout: str) -> frozenset[str] | None:
    """Return the names in the output of `LIST_COMMAND`; None if it is none."""
    try:
        found = parse_json(stdout)["images"]
        return frozenset(name for image in found or () for name in image.get("repoTags") or ())
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def judge_images(wanted: Collection[str], nodes: Mapping[str, frozenset[str] | str]) -> Check:
    """Return whether every image of the payload is on every node.

    Args:
        wanted: Full names of the images.
        nodes: The names that each node's containerd has, or why it was not asked.
    """
    silent = [f"{name}: {found}" for name, found in nodes.items() if isinstance(found, str)]
    missing = {name: sorted(set(wanted) - found) for name, found in nodes.items() if not isinstance(found, str)}
    wrong = [f"{name}: {_listed(names)} missing" for name, names in missing.items() if names]
    expected = f"{len(wanted)} images: {_listed(sorted(wanted))}"
    if silent and not wrong:
        return IMAGES.not_proven("; ".join(silent), expected=expected)
    return IMAGES.judge(
        ok=not wrong,
        expected=expected,
        seen="; ".join(wrong) or f"{len(wanted)} images on each of {len(nodes)} nodes",
        remedy="look for `Imported images from` in the journal of k3s: the archives belong into "
        "/var/lib/rancher/k3s/agent/images before k3s starts; import one with `k3s ctr images import FILE`",
    )


def judge_registry_image(pods: Sequence[Pod], names: Collection[str], digest: str) -> Check:
    """Return whether the image of the registry runs on every node, with this digest.

    Args:
        pods: The pods that use it.
        names: The nodes.
        digest: What the run pushed.
    """
    ready = {pod.node: pod for pod in pods if not pod.trouble and pod.phase == "Running"}
    wrong = [f"{name}: no pod" for name in names if not any(pod.node == name for pod in pods)]
    wrong += [str(pod) for pod in pods if pod.trouble]
    for name, pod in ready.items():
        others = [image or "no image" for image in pod.images if not image.endswith(digest)]
        wrong += [f"{name}: runs {image}" for image in others or ([] if pod.images else ["no image"])]
    return REGISTRY_IMAGE.judge(
        ok=not wrong and set(names) <= set(ready),
        expected=f"{digest} on {', '.join(names)}",
        seen="; ".join(wrong) or f"{digest} on each of {len(ready)} nodes",
        remedy="compare /etc/rancher/k3s/registries.yaml with the registry (mirror, ca_file, login), and read "
        "/var/lib/rancher/k3s/agent/containerd/containerd.log on that node",
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
