"""Cluster: every VM is a Ready node and KubeSphere answers.

Without k3s in the payload nothing is proven.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim
from harness.core.verdict import Check, Phase

if TYPE_CHECKING:
    from harness.machine.machine import Machine

PHASE = Phase.CLUSTER
NODES = CheckSpec(PHASE, "nodes ready", (Claim.CLUSTER,), "every machine is a Ready node")
KUBESPHERE = CheckSpec(PHASE, "kubesphere port", (Claim.CLUSTER,), "a connection to KubeSphere's port on the master")
CHECKS = (NODES, KUBESPHERE)

_CONNECT_S = 10
_NO_K3S = "the payload carries no k3s, and none is installed on the master"
_ADD_K3S = "put k3s into the payload of the seeds; it is the next step after this lab"


def run(master: Machine, names: Sequence[str]) -> Iterator[Check]:
    """Ask the master for its nodes and for KubeSphere's port."""
    promised = master.iso is not None and master.iso.has_k3s
    if not master.ssh.run("command -v k3s || test -x /usr/local/bin/k3s").ok and not promised:
        for check in CHECKS:
            yield check.not_proven(_NO_K3S, expected="a k3s cluster", remedy=_ADD_K3S)
        return
    said = master.ssh.run("/usr/local/bin/k3s kubectl get nodes -o json", as_root=True)
    yield judge_nodes(said.stdout, said.stderr, names)
    port = master.context.plan.spec.cluster.kubesphere_port
    answered = master.ssh.run(connect(master.plan.address, port))
    yield KUBESPHERE.judge(
        ok=answered.ok,
        expected=f"a connection to {master.plan.address}:{port}",
        seen="connected" if answered.ok else (answered.stdout + answered.stderr).strip() or "no answer",
        remedy="kubectl -n kubesphere-system get pods",
    )


def connect(address: IPv4Address, port: int) -> str:
    """Return the command that connects from the guest.

    No socket listens on a node port: kube-proxy redirects it, so only a connection proves it.
    """
    return f"timeout {_CONNECT_S} bash -c {shlex.quote(f'exec 3<>/dev/tcp/{address}/{port}')}"


def judge_nodes(stdout: str, stderr: str, names: Sequence[str]) -> Check:
    """Return whether every machine is a node whose condition Ready is True."""
    try:
        ready = dict(_conditions(json.loads(stdout)))
    except (ValueError, KeyError, TypeError):
        return NODES.judge(
            ok=False, expected="a list of nodes", seen=(stderr or stdout).strip(), remedy="journalctl -u k3s"
        )
    shown = ", ".join(f"{name}: {ready.get(name, 'missing')}" for name in names)
    return NODES.judge(
        ok=all(ready.get(name) == "True" for name in names),
        expected=", ".join(f"{name}: True" for name in names),
        seen=shown,
        remedy="k3s kubectl describe node; journalctl -u k3s (master), -u k3s-agent (worker)",
    )


def _conditions(nodes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for node in nodes["items"]:
        for condition in node["status"]["conditions"]:
            if condition["type"] == "Ready":
                yield node["metadata"]["name"], condition["status"]
