"""Checks of the cluster, in the order in which they are answered."""

from __future__ import annotations

from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim
from harness.core.verdict import Phase


def _check(name: str, expected: str) -> CheckSpec:
    return CheckSpec(Phase.CLUSTER, name, (Claim.CLUSTER,), expected)


UNITS = _check("k3s runs", "the unit of the machine's role active, and not restarted by systemd")
IDENTITY = _check("nodes are these machines", "the machines of the lab as nodes, in the boot that runs now")
READY = _check("nodes ready", "every node Ready and heard of, without pressure, taint or cordon")
VERSION = _check("one version", "one version of k3s on every node")
IMAGES = _check("payload images", "the images of the payload on every node")
SYSTEM_PODS = _check("system pods", "every pod of kube-system Ready or Succeeded")
REGISTRY_IMAGE = _check("image of the registry", "the image that this run pushed runs on every node")
POD_NETWORK = _check("pods reach pods", "an answer of every pod to every node's pod")
CLUSTER_DNS = _check("cluster DNS", "the addresses of two services, from every node's pod")
SERVICES = _check("services", "an answer by ClusterIP and NodePort, from every node")
NO_WAY_OUT = _check("pods have no way out", "no answer from outside to a pod")
STORAGE = _check("storage", "what a pod wrote, read by another one")
KUBECONFIG = _check("kubeconfig", "the API answers the host with a verified certificate, valid for 30 days")
KUBESPHERE = _check("kubesphere", "an HTTP answer of KubeSphere, and its pods ready")
REMOVED = _check("nothing left", "what this run put into the cluster is gone")
WORKER_LOST = _check("a lost worker is noticed", "after its power was cut: not Ready, and the other nodes Ready")
WORKER_BACK = _check("a lost worker comes back", "every node Ready and heard of, the worker in a new boot")
WHOLE_WITH_WORKER = _check("whole with that worker", "every check of the cluster passes again")
MASTER_BACK = _check("the master restarts", "every node Ready and heard of, the master in a new boot")
WHOLE_WITH_MASTER = _check("whole after the restart", "every check of the cluster passes again")
CHECKS = (
    UNITS,
    IDENTITY,
    READY,
    VERSION,
    IMAGES,
    SYSTEM_PODS,
    REGISTRY_IMAGE,
    POD_NETWORK,
    CLUSTER_DNS,
    SERVICES,
    NO_WAY_OUT,
    STORAGE,
    KUBECONFIG,
    KUBESPHERE,
    REMOVED,
)
RECOVERY = (WORKER_LOST, WORKER_BACK, WHOLE_WITH_WORKER, MASTER_BACK, WHOLE_WITH_MASTER)
ALL = (*CHECKS, *RECOVERY)
