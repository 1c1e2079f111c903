"""What a real k3s v1.21.2 with three nodes answered, and changes of it."""

from __future__ import annotations

import base64
import copy
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NODES = json.loads(Path(__file__).with_name("cluster").joinpath("nodes3.json").read_text(encoding="utf-8"))
NAMES = ("k3s-master1", "k3s-worker1", "k3s-worker2")
ADDRESSES = {"k3s-master1": "192.168.6.10", "k3s-worker1": "192.168.6.11", "k3s-worker2": "192.168.6.12"}
NONCES = {
    "k3s-master1": "4c609f0a117a4cceb536dc60d28bd99c",
    "k3s-worker1": "09efb33b1ad84348b7f4cef59dd80369",
    "k3s-worker2": "198e8794a0604b9ebe24d8df2eeb7566",
}
BOOTS = {
    "k3s-master1": "ca37d1d3-6b1b-4427-929e-89861863aa51",
    "k3s-worker1": "686b4462-4814-478d-982a-2b974d1d82f9",
    "k3s-worker2": "b43f1912-63ab-4baf-82eb-a54201c98fdd",
}
VERSION = "v1.21.2+k3s1"


def nodes() -> dict[str, dict[str, Any]]:
    """Return the three nodes by name, to be changed at will."""
    return {item["metadata"]["name"]: item for item in copy.deepcopy(NODES)["items"]}


def condition(node: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the node's condition of that type."""
    found: dict[str, Any] = next(one for one in node["status"]["conditions"] if one["type"] == kind)
    return found


def lease(name: str, renewed: str) -> dict[str, Any]:
    """Return the lease of a node."""
    meta = {"name": name, "namespace": "kube-node-lease"}
    return {"kind": "Lease", "metadata": meta, "spec": {"holderIdentity": name, "renewTime": renewed}}


def pod(name: str, node: str = "k3s-worker1", *, namespace: str = "kube-system", **status: Any) -> dict[str, Any]:
    """Return a pod that is ready, but for the given fields of its status."""
    ready = [{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "True"}]
    state = {"phase": "Running", "podIP": "10.42.1.7", "conditions": ready, "containerStatuses": [], **status}
    meta = {"name": name, "namespace": namespace}
    return {"kind": "Pod", "metadata": meta, "spec": {"nodeName": node}, "status": state}


def waiting(reason: str, message: str = "") -> list[dict[str, Any]]:
    """Return the status of a container that does not run."""
    return [{"name": "c", "ready": False, "state": {"waiting": {"reason": reason, "message": message}}}]


def certificate(begins: datetime, ends: datetime) -> bytes:
    """Return a certificate of that time, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "k3s")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begins, ends)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def kubeconfig(authority: Path, certificate: Path, key: Path) -> str:
    """Return a kubeconfig with the content of these files, as k3s writes it."""
    data = [base64.b64encode(path.read_bytes()).decode("ascii") for path in (authority, certificate, key)]
    return (
        "clusters:\n- cluster:\n"
        f"    certificate-authority-data: {data[0]}\n    server: https://127.0.0.1:6443\n  name: default\n"
        "current-context: default\nusers:\n- name: default\n  user:\n"
        f"    client-certificate-data: {data[1]}\n    client-key-data: {data[2]}\n"
    )
