"""Cluster: every VM is a Ready node and KubeSphere answers.

A lab without k3s in its payload is not asked.
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
NO_K3S = "no k3s in the payload"


def run(master: Machine, machines: Sequence[Machine]) -> Iterator[Check]:
    """Ask the master for its nodes and for KubeSphere's port."""
    promised = any(machine.iso is None or machine.iso.has_k3s for machine in machines)
    names = [machine.name for machine in machines]
    if not master.ssh.run("command -v k3s || test -x /usr/local/bin/k3s").ok and not promised:
        for check in CHECKS:
            yield check.not_asked(NO_K3S)
        return
    reply = master.ssh.run("/usr/local/bin/k3s kubectl get nodes -o json", as_root=True)
    yield judge_nodes(reply.stdout, reply.stderr, names)
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
