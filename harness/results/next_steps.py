"""Commands and URLs for the user of a built lab. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.results.model import MachineFacts, RunResult

# Facts of the master: the phase of the cluster writes each only after its check passed.
API_FACT = "Kubernetes API"
KUBESPHERE_FACT = "KubeSphere"


@dataclass(frozen=True)
class NextStep:
    """A purpose, and the command or URL for it.

    Attributes:
        before: A command that has to run meanwhile; empty if there is none.
    """

    purpose: str
    what: str
    before: str = ""

    def __str__(self) -> str:
        meanwhile = f" (while this runs: {self.before})" if self.before else ""
        return f"{self.purpose}: {self.what}{meanwhile}"


def next_steps(run: RunResult) -> tuple[NextStep, ...]:
    """Return what can be done with the VMs that a run left."""
    if not run.kept:
        return ()
    kept = {item.name for item in run.kept}
    there = [machine for machine in run.machines if machine.name in kept and machine.ssh_logins]
    there.sort(key=lambda machine: machine.role != "master")  # stable: masters first
    steps = [NextStep("log in", f"lab ssh {there[0].name}")] if there else []
    for machine in there:
        if API_FACT in machine.facts:
            steps.append(NextStep("nodes", f"lab ssh {machine.name} sudo k3s kubectl get nodes"))
            steps.append(NextStep("kubectl on this host", "lab kubeconfig"))
        if KUBESPHERE_FACT in machine.facts:
            steps.append(_kubesphere(machine))
    return (*steps, NextStep("remove", "lab down"))


def _kubesphere(machine: MachineFacts) -> NextStep:
    """Return the URL for this host.

    Where SSH is forwarded, the host does not reach the VM's address.
    """
    url = urlsplit(machine.facts[KUBESPHERE_FACT])
    if machine.endpoint.rpartition(":")[0] in ("", machine.address):
        return NextStep("KubeSphere", url.geturl())
    tunnel = f"lab ssh {machine.name} -N -L {url.port}:{url.netloc}"
    return NextStep("KubeSphere", f"http://127.0.0.1:{url.port}", tunnel)
