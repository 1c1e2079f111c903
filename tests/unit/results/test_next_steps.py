"""What is offered at the end of a run."""

from __future__ import annotations

import dataclasses

from report_samples import MACHINES, kept, static

from harness.results.model import KeptMachine, RunResult
from harness.results.next_steps import API_FACT, KUBESPHERE_FACT, next_steps

MASTER = MACHINES[0]


def run_with(facts: dict[str, str], *, endpoint: str = "192.168.6.10:22", logins: int = 1) -> RunResult:
    first, *others = (dataclasses.replace(machine, ssh_logins=logins) for machine in static().machines)
    master = dataclasses.replace(first, role="master", facts=facts, endpoint=endpoint)
    left = tuple(KeptMachine(name) for name in MACHINES)
    return dataclasses.replace(static(), machines=(*others, master), kept=left)


def steps(run: RunResult) -> list[str]:
    return [str(step) for step in next_steps(run)]


def test_a_lab_without_k3s_offers_a_login_to_its_master() -> None:
    assert steps(run_with({})) == [f"log in: lab ssh {MASTER}", "remove: lab down"]


def test_a_proven_cluster_offers_kubectl_and_kubesphere() -> None:
    facts = {API_FACT: "https://192.168.6.10:6443", KUBESPHERE_FACT: "http://192.168.6.10:30880"}
    assert steps(run_with(facts)) == [
        f"log in: lab ssh {MASTER}",
        f"nodes: lab ssh {MASTER} sudo k3s kubectl get nodes",
        "kubectl on this host: lab kubeconfig",
        "KubeSphere: http://192.168.6.10:30880",
        "remove: lab down",
    ]


def test_a_forwarded_lab_needs_a_tunnel_to_kubesphere() -> None:
    run = run_with({KUBESPHERE_FACT: "http://192.168.6.10:30880"}, endpoint="127.0.0.1:40000")
    tunnel = f"lab ssh {MASTER} -N -L 30880:192.168.6.10:30880"
    assert f"KubeSphere: http://127.0.0.1:30880 (while this runs: {tunnel})" in steps(run)


def test_nothing_is_offered_that_was_not_reached() -> None:
    assert steps(static()) == []
    assert steps(run_with({}, logins=0)) == ["remove: lab down"]
    only_worker = dataclasses.replace(run_with({API_FACT: "x"}), kept=kept().kept)
    assert steps(only_worker) == [f"log in: lab ssh {MACHINES[1]}", "remove: lab down"]
