"""Objects that a run puts into the cluster. Pure.

A namespace, a pod per node, a service. Each pod serves one page: the run and the node. Everything is in one namespace,
and is deleted with it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from harness.cluster.answers import Item, of_kind, rows, text

KUBECTL = "/usr/local/bin/k3s kubectl"
PORT = 8080
OWNER_LABEL = "airgap-lab/owner"
_PROBE = "probe"
_END_S = 2  # httpd has nothing to finish


@dataclass(frozen=True)
class Workload:
    """The objects of one run.

    Attributes:
        lab: Name of the lab: leftovers of its earlier runs are known by it.
        run_id: The run.
        image: The image of the pods.
        always: Whether each node has to pull it.
        busybox: Path of busybox in the image.
    """

    lab: str
    run_id: str
    image: str
    always: bool
    busybox: str = "/bin/busybox"

    @property
    def namespace(self) -> str:
        """Name of the namespace; no other run has it."""
        return re.sub(r"[^a-z0-9]+", "-", f"airgap-lab-{self.run_id}".lower()).strip("-")[:63]

    @property
    def mark(self) -> str:
        """What the environment of the pods' processes contains, and of no other one."""
        return f"AIRGAP_LAB_RUN={self.run_id}"

    def page(self, node: str) -> str:
        """Return what the pod of that node serves."""
        return f"{self.run_id} {node}"

    @property
    def dns_name(self) -> str:
        """Name of the service in the cluster's DNS."""
        return f"{_PROBE}.{self.namespace}.svc.cluster.local"

    def objects(self) -> list[dict[str, Any]]:
        """Return namespace, DaemonSet and service."""
        return [self._namespace(), self._daemon_set(), self._service()]

    def _meta(self, name: str) -> dict[str, Any]:
        labels = {"app": _PROBE, OWNER_LABEL: self.lab}
        return {"name": name, "namespace": self.namespace, "labels": labels}

    def _namespace(self) -> dict[str, Any]:
        meta = {"name": self.namespace, "labels": {OWNER_LABEL: self.lab}}
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}

    def container(self, script: str) -> dict[str, Any]:
        """Return a container that runs a script of busybox's shell."""
        node = {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
        return {
            "name": _PROBE,
            "image": self.image,
            "imagePullPolicy": "Always" if self.always else "IfNotPresent",
            "command": [self.busybox, "sh", "-c", script],
            "env": [{"name": "AIRGAP_LAB_RUN", "value": self.run_id}, node, {"name": "BB", "value": self.busybox}],
            "resources": {"requests": {"cpu": "1m", "memory": "4Mi"}},
        }

    def _daemon_set(self) -> dict[str, Any]:
        script = (
            '$BB mkdir -p /tmp/page && echo "$AIRGAP_LAB_RUN $NODE" > /tmp/page/index.html && '
            f"exec $BB httpd -f -p {PORT} -h /tmp/page"
        )
        ready = {"tcpSocket": {"port": PORT}, "periodSeconds": 3, "timeoutSeconds": 5}
        return {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": self._meta(_PROBE),
            "spec": {
                "selector": {"matchLabels": {"app": _PROBE}},
                "template": {
                    "metadata": {"labels": {"app": _PROBE}},
                    "spec": {
                        "tolerations": [{"operator": "Exists"}],
                        "terminationGracePeriodSeconds": _END_S,
                        "automountServiceAccountToken": False,
                        "containers": [{**self.container(script), "readinessProbe": ready}],
                    },
                },
            },
        }

    def _service(self) -> dict[str, Any]:
        ports = [{"port": PORT, "targetPort": PORT}]
        spec = {"type": "NodePort", "selector": {"app": _PROBE}, "ports": ports}
        return {"apiVersion": "v1", "kind": "Service", "metadata": self._meta(_PROBE), "spec": spec}


@dataclass(frozen=True)
class ServiceAddress:
    """Where the service of the run answers."""

    cluster_ip: str
    node_port: int


def service_of(items: tuple[Item, ...], namespace: str) -> ServiceAddress | None:
    """Return the addresses of the run's service; None before it has them."""
    for item in of_kind(items, "Service"):
        if (text(item, "metadata", "namespace"), text(item, "metadata", "name")) == (namespace, _PROBE):
            ports = [row.get("nodePort") for row in rows(item, "spec", "ports")]
            if text(item, "spec", "clusterIP") and ports and isinstance(ports[0], int):
                return ServiceAddress(text(item, "spec", "clusterIP"), ports[0])
    return None


def apply_command(objects: list[dict[str, Any]]) -> str:
    """Return the command that creates the objects."""
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    return f"{KUBECTL} apply -f - <<'END-OF-OBJECTS'\n{document}\nEND-OF-OBJECTS"


def delete_command(lab: str, *, wait_s: int) -> str:
    """Return the command that deletes what runs of the lab put into the cluster.

    Args:
        lab: Its name.
        wait_s: How long to wait until it is gone; 0: do not wait.
    """
    wait = f"--wait=true --timeout={wait_s}s" if wait_s else "--wait=false"
    return f"{KUBECTL} delete namespace --selector={OWNER_LABEL}={lab} --ignore-not-found {wait}"


def in_pod(mark: str, command: str) -> str:
    """Return a command that runs in the network of the node's pod.

    The pod's process is found by its environment: each program of a container runtime takes seconds to start.
    """
    return (
        f"pid=$(grep -lzxF '{mark}' /proc/[0-9]*/environ 2>/dev/null | head -n 1 | cut -d/ -f3); "
        f'[ -n "$pid" ] || {{ echo "no process of the pod on this node" >&2; exit 3; }}; '
        f'export POD_PID="$pid"; nsenter --target "$pid" --net {command}'
    )
