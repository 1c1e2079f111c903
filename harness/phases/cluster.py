"""Cluster: nodes, system pods, and pods of this run on every node.

A lab without k3s in its payload is not asked. What the run puts into the cluster is taken away again, also where a
check fails or the run is interrupted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from harness.cluster import checks
from harness.cluster.answers import NoAnswerError, of_kind, text
from harness.cluster.images import LIST_COMMAND, judge_images, parse_images
from harness.cluster.pods import judge_kubesphere, judge_system_pods
from harness.cluster.questions import Question, ask_command, parse_replies
from harness.cluster.watch import Watch
from harness.cluster.workload import Workload, delete_command
from harness.config.k3s_size import brings_k3s
from harness.config.model import Role
from harness.core.verdict import Check, Phase, Status
from harness.phases.cluster_access import Access
from harness.phases.cluster_api import judge_kubeconfig
from harness.phases.cluster_payload import Runnable, images_of, runnable_of, version_of
from harness.phases.cluster_recovery import Recovery
from harness.phases.cluster_storage import judge_storage
from harness.phases.cluster_workload import Probing
from harness.results.next_steps import KUBESPHERE_FACT

if TYPE_CHECKING:
    from harness.machine.machine import Machine

PHASE = Phase.CLUSTER
CHECKS = checks.ALL

NO_K3S = "no k3s in the payload"
_INSTALLED = "command -v k3s || test -x /usr/local/bin/k3s"
_NO_IMAGE = "no image archive of the lab file has a busybox that pods could run"
_ADD_IMAGE = "add an archive with busybox to `payload.images`; the archive of k3s's releases has one"
_NEED_PODS = (
    checks.REGISTRY_IMAGE,
    checks.POD_NETWORK,
    checks.CLUSTER_DNS,
    checks.SERVICES,
    checks.NO_WAY_OUT,
    checks.STORAGE,
)
_OF_WATCH = (checks.UNITS, checks.IDENTITY, checks.READY, checks.VERSION)
_GONE_S = 120
_WITH_CONTROLLERS = "pods,deployments,daemonsets,statefulsets"
_KUBESPHERE = "kubesphere-system"


def run(machines: Sequence[Machine], waiting: Callable[[], None] = lambda: None) -> Iterator[Check]:
    """Ask every node and the API; then, if asked for, restart machines.

    Args:
        machines: All of the lab.
        waiting: Called between two looks.
    """
    found = []
    for check in _ask(machines, waiting):
        found.append(check)
        yield check
    if {check.seen for check in found} == {NO_K3S}:
        yield from (check.not_asked(NO_K3S) for check in checks.RECOVERY)
        return
    yield from Recovery(tuple(machines), waiting, lambda: _ask(machines, waiting)).run(found)


def _ask(machines: Sequence[Machine], waiting: Callable[[], None]) -> Iterator[Check]:
    master = next(machine for machine in machines if machine.plan.role is Role.MASTER)
    plan = master.context.plan
    if not promised(machines) and not master.ssh.run(_INSTALLED).ok:
        yield from (check.not_asked(NO_K3S) for check in checks.CHECKS)
        return
    deadline = master.deadline(plan.spec.deadlines_s.cluster, "cluster")
    access = Access(master, tuple(machines), deadline, waiting)
    watch = Watch(access.known)
    access.watch(watch)
    yield watch.judge_units()
    yield watch.judge_identity()
    yield watch.judge_ready()
    yield watch.judge_version(version_of(plan))
    silent = watch.looks[-1].problem
    if silent:
        yield from (check.not_proven(silent) for check in checks.CHECKS if check not in _OF_WATCH)
        return
    yield _judge_images(access)
    yield access.poll(
        lambda: judge_system_pods(access.get(f"{_WITH_CONTROLLERS} --all-namespaces")), checks.SYSTEM_PODS
    )
    yield from _with_pods(access, runnable_of(master))


def promised(machines: Sequence[Machine]) -> bool:
    """Return whether the lab file or a seed brings k3s; an unreadable seed may."""
    named = brings_k3s(machines[0].context.plan.spec)
    return named or any(machine.iso is None or machine.iso.has_k3s for machine in machines)


def _judge_images(access: Access) -> Check:
    """Ask every node's containerd for the images of the payload."""
    wanted = images_of(access.master.context.plan)
    if wanted is None:
        return checks.IMAGES.not_asked("the lab file names no image archive")
    if isinstance(wanted, str):
        return checks.IMAGES.not_proven(wanted, remedy="give an archive that this host can read")
    return access.poll(lambda: judge_images(wanted, access.each(lambda one: _listed(access, one))), checks.IMAGES)


def _listed(access: Access, machine: Machine) -> frozenset[str]:
    said = access.run(machine, LIST_COMMAND)
    found = parse_images(said.stdout)
    if found is None:
        raise NoAnswerError(said.stderr.strip()[-300:] or "containerd lists no images")
    return found


def _with_pods(access: Access, runnable: Runnable | None) -> Iterator[Check]:
    """Yield the checks that need pods of this run, and those behind them."""
    if runnable is None:
        yield from (check.not_proven(_NO_IMAGE, remedy=_ADD_IMAGE) for check in _NEED_PODS)
        yield judge_kubeconfig(access)
        yield _judge_kubesphere(access)
        yield checks.REMOVED.judge(ok=True, seen="nothing was put into the cluster")
        return
    workload, removed = runnable.workload, False
    try:
        probing = Probing(access, workload)
        yield probing.start(runnable.digest, runnable.missing)
        yield from probing.judge_network()
        yield judge_storage(access, workload)
        yield judge_kubeconfig(access)
        yield _judge_kubesphere(access)
        gone = _remove(access, workload)
        removed = True
        yield gone
    finally:
        if not removed:
            with contextlib.suppress(NoAnswerError):
                access.run(access.master, delete_command(workload.lab, wait_s=0))


def _remove(access: Access, workload: Workload) -> Check:
    """Delete the namespace and the pulled image; return whether both are gone."""
    try:
        said = access.run(access.master, delete_command(workload.lab, wait_s=_GONE_S), _GONE_S + 60.0)
        known = {text(item, "metadata", "name") for item in of_kind(access.get("namespaces"), "Namespace")}
    except NoAnswerError as error:
        return checks.REMOVED.not_proven(str(error), remedy=f"delete the namespace {workload.namespace}")
    left = [f"{workload.namespace}: {said.stderr.strip()}"] if workload.namespace in known else []
    if workload.always:
        left += [
            f"{name}: {why}" for name, why in access.each(lambda one: _forget(access, one, workload)).items() if why
        ]
    return checks.REMOVED.judge(
        ok=not left,
        seen="; ".join(left) or f"no namespace {workload.namespace}, no image {workload.image}",
        remedy=f"run `k3s kubectl get namespace {workload.namespace} -o yaml` on the master: it says what holds it",
    )


def _forget(access: Access, machine: Machine, workload: Workload) -> str:
    """Delete the run's image on a node; return why it stays."""
    said = access.run(machine, f"/usr/local/bin/k3s crictl rmi {workload.image}")
    there = workload.image in _listed(access, machine)
    return f"{workload.image} is still there: {said.stderr.strip()[-200:]}" if there else ""


def _judge_kubesphere(access: Access) -> Check:
    """Ask KubeSphere's port by HTTP, and the API for its pods."""
    check, master = checks.KUBESPHERE, access.master
    port = master.context.plan.spec.cluster.kubesphere_port
    if port is None:
        return check.not_asked("`cluster.kubesphere_port` is not set")
    address = str(master.plan.address)
    question = Question("web", f"{address}:{port}", address=address, port=port, timeout_s=10)
    try:
        namespaces = of_kind(access.get("namespaces"), "Namespace")
        if not any(text(item, "metadata", "name") == _KUBESPHERE for item in namespaces):
            remedy = "install KubeSphere, or set `cluster: {kubesphere_port: null}` in the lab file"
            return check.not_proven(f"the cluster has no namespace {_KUBESPHERE}", remedy=remedy)
    except NoAnswerError as error:
        return check.not_proven(str(error))

    def answer() -> Check:
        said = access.run(master, ask_command([question]))
        try:
            (reply,) = parse_replies(master.name, said.stdout, [question])
        except ValueError as error:
            raise NoAnswerError(said.stderr.strip()[-300:] or str(error)) from error
        items = access.get(f"{_WITH_CONTROLLERS} --namespace={_KUBESPHERE}")
        return judge_kubesphere(items, reply.seen, question.target)

    judged = access.poll(answer, check)
    if judged.status is Status.PASS:
        master.journal.facts({KUBESPHERE_FACT: f"http://{question.target}"})
    return judged
