"""Pods: ready, or why not. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.cluster.answers import Item, conditions, mapping, number, of_kind, rows, text
from harness.cluster.checks import KUBESPHERE, SYSTEM_PODS
from harness.core.check_spec import CheckSpec
from harness.core.verdict import Check

SYSTEM = "kube-system"
_REPLICATED = {"Deployment": "replicas", "StatefulSet": "replicas"}


@dataclass(frozen=True)
class Pod:
    """A pod as the API describes it.

    Attributes:
        trouble: Why it is neither Ready nor done; empty if it is.
        images: Digest of the image of each container, as the runtime names it.
    """

    namespace: str
    name: str
    node: str
    phase: str
    address: str
    trouble: str
    images: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name} on {self.node or 'no node'}: {self.trouble or self.phase}"


def pod_of(item: Item) -> Pod:
    """Return the pod of that object."""
    states = rows(item, "status", "containerStatuses")
    return Pod(
        namespace=text(item, "metadata", "namespace"),
        name=text(item, "metadata", "name"),
        node=text(item, "spec", "nodeName"),
        phase=text(item, "status", "phase"),
        address=text(item, "status", "podIP"),
        trouble=_trouble(item),
        images=tuple(text(state, "imageID") for state in states),
    )


def _trouble(item: Item) -> str:
    phase = text(item, "status", "phase")
    known = conditions(item)
    if phase == "Succeeded":
        return ""
    if text(item, "metadata", "deletionTimestamp"):
        return "is being deleted"
    if phase == "Running" and text(known.get("Ready", {}), "status") == "True":
        return ""
    reasons = [*_container_troubles(item), *_conditions(item)]
    return "; ".join([phase or "no phase", *dict.fromkeys(filter(None, reasons))])


def _container_troubles(item: Item) -> Iterator[str]:
    for state in (*rows(item, "status", "initContainerStatuses"), *rows(item, "status", "containerStatuses")):
        if state.get("ready") is True:
            continue
        for kind in ("waiting", "terminated"):
            why = mapping(state, "state", kind)
            if why and text(why, "reason") != "Completed":
                yield ": ".join(filter(None, [text(why, "reason"), text(why, "message")]))
        before = mapping(state, "lastState", "terminated")
        if before:
            times = number(state, "restartCount")
            how = f"{text(before, 'reason')} {number(before, 'exitCode')}".strip()
            yield f"container {text(state, 'name')} ended {times} times ({how})"


def _conditions(item: Item) -> Iterator[str]:
    for name in ("PodScheduled", "Ready"):
        why = conditions(item).get(name, {})
        if text(why, "status") != "True" and text(why, "reason") != "ContainersNotReady":
            yield ": ".join(filter(None, [text(why, "reason"), text(why, "message")]))
    yield ": ".join(filter(None, [text(item, "status", "reason"), text(item, "status", "message")]))


def shortage(item: Item) -> str:
    """Return how many pods of a controller are missing; empty if none is."""
    kind, name = text(item, "kind"), text(item, "metadata", "name")
    if kind == "DaemonSet":
        wanted, ready = number(item, "status", "desiredNumberScheduled"), number(item, "status", "numberReady")
    elif kind in _REPLICATED:
        spec = mapping(item, "spec")
        wanted = number(spec, "replicas") if "replicas" in spec else 1
        ready = number(item, "status", "readyReplicas")
    else:
        return ""
    return "" if ready >= wanted else f"{kind} {name}: {ready} of {wanted} pods ready"


def pods_in(items: tuple[Item, ...], namespace: str) -> tuple[Pod, ...]:
    """Return the pods of a namespace."""
    found = (pod_of(item) for item in of_kind(items, "Pod"))
    return tuple(pod for pod in found if pod.namespace == namespace)


def judge_pods(check: CheckSpec, items: tuple[Item, ...], namespace: str) -> Check:
    """Return whether every pod of a namespace is Ready or Succeeded.

    Args:
        check: The check that is answered.
        items: Pods and their controllers.
        namespace: Where they are.
    """
    pods = pods_in(items, namespace)
    wrong = [str(pod) for pod in pods if pod.trouble]
    mine = [item for item in items if text(item, "metadata", "namespace") == namespace]
    wrong += [] if wrong else [why for item in mine if (why := shortage(item))]
    return check.judge(
        ok=not wrong,
        seen="; ".join(wrong) or f"{len(pods)} pods, each Ready or Succeeded",
        remedy=f"run `k3s kubectl -n {namespace} describe pod` on the master: its events say what fails",
    )


def judge_system_pods(items: tuple[Item, ...]) -> Check:
    """Return whether every pod of kube-system is Ready or Succeeded."""
    if not any(text(item, "metadata", "namespace") == SYSTEM for item in items):
        return SYSTEM_PODS.not_asked("kube-system has no pod: the server leaves out every component")
    return judge_pods(SYSTEM_PODS, items, SYSTEM)


def judge_kubesphere(items: tuple[Item, ...], status: str, where: str) -> Check:
    """Return whether KubeSphere answers by HTTP, with its pods ready.

    Args:
        items: Pods and their controllers.
        status: The status line of its HTTP answer, or why there is none.
        where: Its address.
    """
    pods = judge_pods(KUBESPHERE, items, "kubesphere-system")
    there = bool(pods_in(items, "kubesphere-system"))
    answered = status.startswith("HTTP ")
    return KUBESPHERE.judge(
        ok=answered and there and status.split()[1][:1] in "234" and pods.status.value == "pass",
        expected=f"an HTTP answer of {where}, and every pod of kubesphere-system ready",
        seen=f"{status}; {pods.seen if there else 'no pod in kubesphere-system'}",
        remedy=pods.remedy,
    )
