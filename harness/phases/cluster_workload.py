"""Pods of a run on every node: nodes and pods ask each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.airgap import judge, probes
from harness.airgap.probes import Probe
from harness.cluster.answers import Item, NoAnswerError, text
from harness.cluster.checks import CLUSTER_DNS, NO_WAY_OUT, POD_NETWORK, REGISTRY_IMAGE, SERVICES
from harness.cluster.images import judge_registry_image
from harness.cluster.pods import Pod, pods_in
from harness.cluster.questions import ANSWER_S, Question, ask_command, parse_replies
from harness.cluster.replies import Reply, judge_replies
from harness.cluster.workload import PORT, ServiceAddress, Workload, apply_command, in_pod, service_of
from harness.core.verdict import Check, Status
from harness.phases.air_gap import plan_questions
from harness.phases.cluster_access import Access

if TYPE_CHECKING:
    from harness.machine.machine import Machine

# Questions repeat themselves for ANSWER_S; the guest needs time to begin and to end.
_ASK_S = ANSWER_S + 60.0
_DNS = "kube-dns"
_FLANNEL = (
    "compare `ip link show flannel.1` with the node's annotation flannel.alpha.coreos.com/backend-data: udev changes "
    "the MAC address where no .link file has MACAddressPolicy=none for flannel*; restart k3s-agent; check UDP port 8472"
)
_KUBE_PROXY = "read the journal of k3s for kube-proxy, and compare `iptables-save` of the node with the service"
_COREDNS = "run `k3s kubectl -n kube-system describe pod -l k8s-app=kube-dns`, and compare its Corefile"
_OUT = "make the network host-only, and check that nothing on the host routes for it"


@dataclass
class Probing:
    """The pods of a run while they are there.

    Attributes:
        workload: What was put into the cluster.
        pods: Those of the workload, by node.
        service: Where they are reached.
        cluster: Services of the cluster itself, by `namespace/name`.
        silent: Nodes that cannot ask from a pod, and why.
    """

    access: Access
    workload: Workload
    pods: dict[str, Pod] = field(default_factory=dict)
    service: ServiceAddress | None = None
    cluster: Mapping[str, str] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)

    def start(self, digest: str, missing: str) -> Check:
        """Create the objects, and wait for a pod on every node.

        Args:
            digest: What the run pushed to the registry; empty without an image there.
            missing: Why there is none.
        """
        access, workload = self.access, self.workload
        self.silent = dict.fromkeys(access.names, "no pod of this run")
        remedy = "read `journalctl -u k3s` of the master"
        try:
            said = access.run(access.master, apply_command(workload.objects()))
        except NoAnswerError as error:
            return REGISTRY_IMAGE.not_proven(str(error), remedy=remedy)
        if not said.ok:
            return REGISTRY_IMAGE.judge(ok=False, seen=said.stderr.strip(), remedy=remedy)
        check = access.poll(lambda: self._look(digest), REGISTRY_IMAGE)
        for name, pod in self.pods.items():
            if pod.trouble:
                self.silent[name] = pod.trouble
            else:
                self.silent.pop(name, None)
        return REGISTRY_IMAGE.not_proven(missing) if missing else check

    def _look(self, digest: str) -> Check:
        access = self.access
        namespace = self.workload.namespace
        items = access.get(f"pods,services --namespace={namespace}")
        mine = pods_in(items, namespace)
        self.pods = {pod.node: pod for pod in mine}
        self.service = service_of(items, namespace)
        return judge_registry_image(mine, access.names, digest)

    def judge_network(self) -> Iterator[Check]:
        """Ask from every pod and every node; yield four checks."""
        if not any(name not in self.silent for name in self.access.names):
            why = "; ".join(f"{name}: {why}" for name, why in self.silent.items())
            yield from (check.not_proven(f"no pod of this run runs: {why}") for check in _NETWORK)
            return
        try:
            self.cluster = _services(self.access.get("services --all-namespaces"))
        except NoAnswerError as error:
            yield from (check.not_proven(f"the API did not answer: {error}") for check in _NETWORK)
            return
        pods, names = self._pod_questions(), self._name_questions()
        found = self.access.each(lambda machine: self._from_pod(machine, [*pods, *names]))
        replies, silent = _parted(found)
        silent |= self.silent
        targets = {question.target for question in pods}
        asked = [one for one in replies if one.target in targets]
        yield judge_replies(POD_NETWORK, asked, silent, _FLANNEL)
        if f"kube-system/{_DNS}" in self.cluster:
            yield judge_replies(CLUSTER_DNS, [one for one in replies if one.target not in targets], silent, _COREDNS)
        else:
            yield CLUSTER_DNS.not_asked("the cluster has no DNS: the server leaves out coredns")
        found = self.access.each(self._from_node)
        replies, silent = _parted(found)
        yield judge_replies(SERVICES, replies, silent, _KUBE_PROXY)
        yield self._judge_way_out()

    def _pod_questions(self) -> list[Question]:
        return [
            Question("page", f"pod on {name}", self.workload.page(name), address=pod.address, port=PORT)
            for name, pod in self.pods.items()
            if name not in self.silent
        ]

    def _name_questions(self) -> list[Question]:
        kubernetes = self.cluster.get("default/kubernetes", "")
        known = {"kubernetes.default": kubernetes, self._short_name: self.service.cluster_ip if self.service else ""}
        return [Question("name", name, address, name=name) for name, address in known.items()]

    @property
    def _short_name(self) -> str:
        return ".".join(self.workload.dns_name.split(".")[:2])

    def _from_pod(self, machine: Machine, questions: list[Question]) -> tuple[Reply, ...]:
        if machine.name in self.silent:
            raise NoAnswerError(self.silent[machine.name])
        return self._ask(machine, in_pod(self.workload.mark, ask_command(questions)), questions)

    def _from_node(self, machine: Machine) -> tuple[Reply, ...]:
        if self.service is None:
            raise NoAnswerError("the service has no address")
        run = self.workload.run_id
        questions = [_service_question("ClusterIP", run, self.service.cluster_ip, PORT)]
        questions += [
            _service_question(f"NodePort of {other.name}", run, str(other.plan.address), self.service.node_port)
            for other in self.access.machines
        ]
        return self._ask(machine, ask_command(questions), questions)

    def _ask(self, machine: Machine, command: str, questions: list[Question]) -> tuple[Reply, ...]:
        said = self.access.run(machine, command, _ASK_S)
        try:
            return parse_replies(machine.name, said.stdout, questions)
        except ValueError as error:
            raise NoAnswerError(said.stderr.strip()[-300:] or str(error)) from error

    # -- the way out -----------------------------------------------------------------------------------------------

    def _judge_way_out(self) -> Check:
        """Ask from every pod what the air-gap phase asks from every guest."""
        found = self.access.each(self._ways_out)
        checks = {name: one if isinstance(one, Check) else NO_WAY_OUT.not_proven(one) for name, one in found.items()}
        worst = max(checks.values(), key=lambda check: _WORSE.index(check.status))
        named = [f"{name}: {check.seen}" for name, check in checks.items() if check.status is worst.status]
        remedy = _OUT if worst.status is Status.FAIL else _FLANNEL
        return Check(NO_WAY_OUT.name, worst.status, worst.expected, "; ".join(named), remedy)

    def _ways_out(self, machine: Machine) -> Check:
        if machine.name in self.silent:
            raise NoAnswerError(self.silent[machine.name])
        spec = machine.context.plan.spec
        asked = plan_questions(machine, {})
        # A pod that reaches nothing at all proves nothing: its own node's API has to answer.
        control = Probe("control", "tcp", str(self.access.master.plan.address), 6443, 10)
        registry = probes.registry_probe(spec.registry.address, spec.registry.port, "", None)
        command = in_pod(self.workload.mark, probes.probe_command([*asked, control], registry))
        said = self.access.run(machine, command, _ASK_S + probes.INWARD_S)
        try:
            *answers, reached, _ = probes.parse_results(said.stdout, len(asked) + 2)
        except (ValueError, KeyError, TypeError) as error:
            raise NoAnswerError(said.stderr.strip()[-300:] or str(error)) from error
        if not reached.open:
            return NO_WAY_OUT.not_proven(f"the pod does not reach the master either: {reached.detail}", remedy=_FLANNEL)
        return judge.judge_closed(NO_WAY_OUT, list(zip(asked, answers, strict=True)), None, spec.network.subnet)


_NETWORK = (POD_NETWORK, CLUSTER_DNS, SERVICES, NO_WAY_OUT)
_WORSE = (Status.NOT_ASKED, Status.PASS, Status.NOT_PROVEN, Status.FAIL, Status.BLOCKED, Status.ERROR)


def _service_question(target: str, run_id: str, address: str, port: int) -> Question:
    """Return a question that the pod of any node answers."""
    return Question("page", target, run_id, prefix=True, address=address, port=port)


def _services(items: tuple[Item, ...]) -> dict[str, str]:
    return {
        f"{text(item, 'metadata', 'namespace')}/{text(item, 'metadata', 'name')}": text(item, "spec", "clusterIP")
        for item in items
    }


def _parted(found: Mapping[str, tuple[Reply, ...] | str]) -> tuple[list[Reply], dict[str, str]]:
    """Return all replies, and the nodes that could not ask."""
    replies = [one for answer in found.values() if not isinstance(answer, str) for one in answer]
    return replies, {name: answer for name, answer in found.items() if isinstance(answer, str)}
