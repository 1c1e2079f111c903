"""Storage: one pod writes to a volume, and after its end another one reads."""

from __future__ import annotations

from typing import Any

from harness.cluster.answers import Item, NoAnswerError, mapping, text
from harness.cluster.checks import STORAGE
from harness.cluster.pods import pods_in
from harness.cluster.workload import KUBECTL, Workload, apply_command
from harness.core.verdict import Check
from harness.phases.cluster_access import Access

_CLAIM = "probe-volume"
_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_DELETE_S = 60
_REMEDY = "run `k3s kubectl describe persistentvolumeclaims --all-namespaces` on the master: its events say what fails"


def judge_storage(access: Access, workload: Workload) -> Check:
    """Write in one pod, delete it, read in the next."""
    try:
        found = storage_class(access.get("storageclasses"))
        if not found:
            return STORAGE.not_asked("the cluster has no StorageClass")
        claim = _claim(workload, found)
        writes = _pod(workload, "probe-write", "$BB sh -c 'echo \"$AIRGAP_LAB_RUN\" > /volume/page && $BB sync'")
        check = _done(access, workload, [claim, writes], "probe-write")
        if check.status.stops:
            return check
        access.run(
            access.master,
            f"{KUBECTL} --namespace={workload.namespace} delete pod probe-write --timeout={_DELETE_S}s",
        )
        reads = _pod(workload, "probe-read", '[ "$($BB cat /volume/page)" = "$AIRGAP_LAB_RUN" ]')
        return _done(access, workload, [reads], "probe-read")
    except NoAnswerError as error:
        return STORAGE.not_proven(f"the API did not answer: {error}")


def storage_class(items: tuple[Item, ...]) -> str:
    """Return the default StorageClass, else the first; empty without one."""
    names = [text(item, "metadata", "name") for item in items]
    default = [
        text(item, "metadata", "name")
        for item in items
        if mapping(item, "metadata", "annotations").get(_DEFAULT) == "true"
    ]
    return next(iter([*default, *names]), "")


def _done(access: Access, workload: Workload, objects: list[dict[str, Any]], name: str) -> Check:
    """Create the objects, and wait for the end of the pod."""
    said = access.run(access.master, apply_command(objects))
    if not said.ok:
        return STORAGE.judge(ok=False, seen=said.stderr.strip(), remedy=_REMEDY)

    def look() -> Check:
        pods = pods_in(access.get(f"pods --namespace={workload.namespace}"), workload.namespace)
        pod = next((pod for pod in pods if pod.name == name), None)
        seen = f"{name}: {(pod.trouble or pod.phase) if pod else 'missing'}"
        return STORAGE.judge(ok=pod is not None and pod.phase == "Succeeded", seen=seen, remedy=_REMEDY)

    return access.poll(look, STORAGE)


def _claim(workload: Workload, storage: str) -> dict[str, Any]:
    resources = {"requests": {"storage": "1Mi"}}
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": storage, "resources": resources}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": _meta(workload, _CLAIM), "spec": spec}


def _pod(workload: Workload, name: str, script: str) -> dict[str, Any]:
    container = {**workload.container(script), "volumeMounts": [{"name": "volume", "mountPath": "/volume"}]}
    volume = {"name": "volume", "persistentVolumeClaim": {"claimName": _CLAIM}}
    spec = {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [volume],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": _meta(workload, name), "spec": spec}


def _meta(workload: Workload, name: str) -> dict[str, Any]:
    return {"name": name, "namespace": workload.namespace}
