"""The cluster phase on a k3s that answers from memory: healthy, and each fault."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from archive_samples import PAUSE, image_archive
from cluster_samples import VERSION, certificate, condition, kubeconfig, pod, waiting

from harness.airgap.registry_image import Image, digest
from harness.cluster import checks
from harness.config.payload_spec import ArchiveSpec, K3sSpec, PayloadSpec
from harness.core.errors import HostError
from harness.core.verdict import Check, Status
from harness.guest.lab_keys import ensure_registry_certificate
from harness.machine.context import RunContext
from harness.phases import cluster
from harness.results.next_steps import API_FACT, KUBESPHERE_FACT

from .fake_k3s import FakeK3s, fake_api

NOW = datetime.now(UTC)
NOTHING_ASKED = {checks.STORAGE.name, checks.KUBESPHERE.name, *(check.name for check in checks.RECOVERY)}


class FakeGateway:
    """A registry that takes an image, or the reason why there is none."""

    def __init__(self, k3s: FakeK3s, no_registry: str = "") -> None:
        self.k3s = k3s
        self.no_registry = no_registry
        self.port = 0
        self.pull = None

    def push(self, repository: str, tag: str, image: Image) -> str:
        if self.no_registry:
            raise HostError(self.no_registry, remedy="-")
        self.k3s.digest = digest(image.manifest)
        return f"192.168.6.1:5000/{repository}:{tag}"


def with_payload(context: RunContext, directory: Path, *, kubesphere_port: int | None = None) -> RunContext:
    """Return the context of a lab whose payload is a binary and an archive in that directory."""
    binary = directory / "k3s"
    binary.write_bytes(b"\x7fELF" + VERSION.encode())
    archive = image_archive(directory / "images.tar")
    payload = PayloadSpec(k3s=K3sSpec(binary=str(binary)), images=(ArchiveSpec(source=str(archive)),))
    spec = context.plan.spec
    changes = {"payload": payload, "cluster": spec.cluster.model_copy(update={"kubesphere_port": kubesphere_port})}
    spec = spec.model_copy(update={**changes, "deadlines_s": spec.deadlines_s.model_copy(update={"cluster": 120})})
    return replace(context, plan=replace(context.plan, spec=spec))


@pytest.fixture
def k3s(context: RunContext, tmp_path: Path) -> Iterator[FakeK3s]:
    """Return a healthy cluster whose API answers on the loopback."""
    context.run.directory.mkdir(parents=True)
    found = FakeK3s(with_payload(context, tmp_path))
    found.context = replace(found.context, gateway=FakeGateway(found))  # type: ignore[arg-type]
    found.answers["crictl images"] = (
        0,
        f'{{"images": [{{"repoTags": ["{PAUSE}", "docker.io/library/busybox:lab"]}}]}}',
    )
    chain, key = ensure_registry_certificate(tmp_path, "192.168.6.10")
    with fake_api(chain, key, lambda: found.api) as port:
        found.stream = lambda *_: socket.create_connection(("127.0.0.1", port), timeout=20)
        text = kubeconfig(tmp_path / "ca" / "ca.crt", chain, key)
        found.answers["cat /etc/rancher/k3s/k3s.yaml"] = (0, text)
        yield found


def judged(k3s: FakeK3s) -> dict[str, Check]:
    found = list(cluster.run(k3s.machines()))
    assert [check.name for check in found] == [check.name for check in cluster.CHECKS]
    return {check.name: check for check in found}


def statuses(found: dict[str, Check]) -> dict[str, Status]:
    return {name: check.status for name, check in found.items() if check.status is not Status.PASS}


def test_a_healthy_cluster_passes_every_check_that_applies(k3s: FakeK3s) -> None:
    found = judged(k3s)
    assert statuses(found) == dict.fromkeys(NOTHING_ASKED, Status.NOT_ASKED)
    assert {found[check.name].seen for check in checks.RECOVERY} == {"`cluster.recovery` is not set in the lab file"}
    assert "3 right answers" not in found[checks.POD_NETWORK.name].seen, "each of three pods from each of three nodes"
    assert found[checks.POD_NETWORK.name].seen == "9 right answers"
    assert found[checks.SERVICES.name].seen == "12 right answers"


def test_a_lab_without_k3s_is_not_asked_anything(context: RunContext) -> None:
    k3s = FakeK3s(context)
    k3s.answers["command -v k3s"] = (1, "")
    machines = k3s.machines()
    for machine in machines:
        machine.iso = type("Iso", (), {"has_k3s": False})()
    found = list(cluster.run(machines))
    assert {check.status for check in found} == {Status.NOT_ASKED}
    assert {check.seen for check in found} == {cluster.NO_K3S}
    assert len(k3s.commands) == 1


def test_a_promised_k3s_that_is_not_installed_is_no_lab_without_k3s(k3s: FakeK3s) -> None:
    for machine_answer in ("command -v k3s", "systemctl show", "kubectl"):
        k3s.answers[machine_answer] = (127, "sh: 1: /usr/local/bin/k3s: not found")
    found = judged(k3s)
    assert found[checks.UNITS.name].status is Status.FAIL
    assert found[checks.IDENTITY.name].status is Status.FAIL
    assert "not found" in found[checks.IDENTITY.name].why
    assert Status.PASS not in {check.status for check in found.values()}


def test_the_lab_file_or_a_seed_promises_k3s_and_a_seed_that_cannot_be_read_may(
    context: RunContext, tmp_path: Path
) -> None:
    def machines(context: RunContext, *seeds: object) -> list[Any]:
        found = FakeK3s(context).machines()
        for machine, iso in zip(found, seeds, strict=True):
            machine.iso = iso  # type: ignore[assignment]
        return found

    with_k3s, without = (type("Iso", (), {"has_k3s": there})() for there in (True, False))
    assert not cluster.promised(machines(context, without, without, without))
    assert cluster.promised(machines(context, without, without, with_k3s))
    assert cluster.promised(machines(context, without, None, without))
    assert cluster.promised(machines(with_payload(context, tmp_path), without, without, without))


def node(k3s: FakeK3s) -> dict[str, Any]:
    return k3s.nodes["k3s-worker1"]


def stale(k3s: FakeK3s) -> None:
    k3s.silent.add("k3s-worker1")


def rebuilt(k3s: FakeK3s) -> None:
    node(k3s)["status"]["nodeInfo"]["systemUUID"] = "63aa7a41-2cfd-40f7-8594-b6ea2d527369"


def earlier_boot(k3s: FakeK3s) -> None:
    node(k3s)["status"]["nodeInfo"]["bootID"] = "b70253bf-fb92-49ae-b7e2-2f25e9925401"


def fourth(k3s: FakeK3s) -> None:
    k3s.nodes["old"] = {**node(k3s), "metadata": {"name": "old"}}


def cordoned(k3s: FakeK3s) -> None:
    node(k3s)["spec"]["unschedulable"] = True


def pressure(k3s: FakeK3s) -> None:
    condition(node(k3s), "DiskPressure").update(status="True")


def other_version(k3s: FakeK3s) -> None:
    node(k3s)["status"]["nodeInfo"]["kubeletVersion"] = "v1.21.3+k3s1"


def no_image(k3s: FakeK3s) -> None:
    k3s.answers["crictl images"] = (0, f'{{"images": [{{"repoTags": ["{PAUSE}"]}}]}}')


def coredns(k3s: FakeK3s) -> None:
    states = waiting("ImagePullBackOff", "docker.io: no such host")
    k3s.pods = [pod("coredns-1", phase="Pending", conditions=[], containerStatuses=states)]


def other_digest(k3s: FakeK3s) -> None:
    k3s.before = lambda *_: setattr(k3s, "digest", "sha256:" + "b" * 64)


def flannel(k3s: FakeK3s) -> None:
    k3s.wrong["k3s-worker1 -> pod on k3s-worker2"] = "TimeoutError: timed out"


def name_server(k3s: FakeK3s) -> None:
    k3s.wrong["kubernetes.default"] = "TimeoutError: timed out"


def kube_proxy(k3s: FakeK3s) -> None:
    k3s.wrong["NodePort of k3s-worker2"] = "ConnectionRefusedError: refused"


def another_server(k3s: FakeK3s) -> None:
    k3s.wrong["ClusterIP"] = "It works!"


def way_out(k3s: FakeK3s) -> None:
    k3s.open_ways = True


def refused_certificate(k3s: FakeK3s) -> None:
    def refuse(*_: object) -> None:
        raise OSError("certificate verify failed: IP address mismatch")

    k3s.stream = refuse


def left_behind(k3s: FakeK3s) -> None:
    k3s.stays = True


def image_left_behind(k3s: FakeK3s) -> None:
    def pulled(_: str, command: str) -> None:
        if "crictl rmi" in command:
            image = command.rpartition(" ")[2]
            k3s.answers["crictl images"] = (0, f'{{"images": [{{"repoTags": ["{image}"]}}]}}')

    k3s.before = pulled


def another_answer(k3s: FakeK3s) -> None:
    k3s.api = b"HTTP/1.1 401 Unauthorized\r\n\r\n"


def old_certificate(k3s: FakeK3s) -> None:
    ended = certificate(NOW - timedelta(days=400), NOW - timedelta(days=35))
    k3s.answers["cat /var/lib/rancher/k3s/server/tls"] = (0, ended.decode("ascii"))


def no_server(k3s: FakeK3s) -> None:
    k3s.answers["k3s.yaml"] = (0, k3s.answers["cat /etc/rancher/k3s/k3s.yaml"][1].replace("server:", "host:"))
    del k3s.answers["cat /etc/rancher/k3s/k3s.yaml"]


@pytest.mark.parametrize(
    ("fault", "name", "seen"),
    [
        (stale, checks.READY, "k3s-worker1: its lease was"),
        (rebuilt, checks.IDENTITY, "is another machine's"),
        (earlier_boot, checks.IDENTITY, "is another boot than"),
        (fourth, checks.IDENTITY, "old: a node that is no machine of this lab"),
        (cordoned, checks.READY, "k3s-worker1: cordoned"),
        (pressure, checks.READY, "DiskPressure is True"),
        (other_version, checks.VERSION, "k3s-worker1: v1.21.3+k3s1"),
        (no_image, checks.IMAGES, "docker.io/library/busybox:lab missing"),
        (coredns, checks.SYSTEM_PODS, "ImagePullBackOff: docker.io: no such host"),
        (other_digest, checks.REGISTRY_IMAGE, "runs x@sha256:bbb"),
        (flannel, checks.POD_NETWORK, "1 of 9 wrong: k3s-worker1 -> pod on k3s-worker2: TimeoutError"),
        (name_server, checks.CLUSTER_DNS, "kubernetes.default: TimeoutError"),
        (kube_proxy, checks.SERVICES, "3 of 12 wrong"),
        (another_server, checks.SERVICES, "It works!"),
        (way_out, checks.NO_WAY_OUT, "k3s-worker1: "),
        (refused_certificate, checks.KUBECONFIG, "certificate verify failed"),
        (left_behind, checks.REMOVED, "airgap-lab-2026"),
        (image_left_behind, checks.REMOVED, "is still there"),
        (another_answer, checks.KUBECONFIG, "the API says HTTP/1.1 401"),
        (old_certificate, checks.KUBECONFIG, "ends on "),
        (no_server, checks.KUBECONFIG, "names no server"),
    ],
)
def test_each_fault_fails_its_check_and_no_other(
    k3s: FakeK3s, fault: Callable[[FakeK3s], None], name: Any, seen: str
) -> None:
    fault(k3s)
    found = judged(k3s)
    bad = statuses(found)
    assert {one for one, status in bad.items() if status is not Status.NOT_ASKED} == {name.name}
    assert bad[name.name] is Status.FAIL
    assert seen in found[name.name].seen
    assert found[name.name].remedy


def test_what_the_run_put_into_the_cluster_is_taken_away_also_when_it_is_interrupted(k3s: FakeK3s) -> None:
    def interrupt(_: str, command: str) -> None:
        if "ask_all" in command and "nsenter" in command:
            raise KeyboardInterrupt

    k3s.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        list(cluster.run(k3s.machines()))
    assert k3s.namespaces == ["kube-system"]
    assert any("delete namespace" in command for command in k3s.commands)


def test_a_silent_api_fails_one_check_and_leaves_the_others_unproven(k3s: FakeK3s) -> None:
    k3s.answers["kubectl"] = (1, "The connection to the server 127.0.0.1:6443 was refused")
    found = judged(k3s)
    failed = [name for name, check in found.items() if check.status is Status.FAIL]
    assert failed == [checks.IDENTITY.name]
    assert found[checks.IDENTITY.name].inconclusive
    assert "was refused" in found[checks.IDENTITY.name].why
    assert {found[name].status for name in (checks.READY.name, checks.POD_NETWORK.name)} == {Status.NOT_PROVEN}


def test_a_node_whose_certificates_are_not_read_leaves_them_unproven(k3s: FakeK3s) -> None:
    k3s.answers["cat /var/lib/rancher/k3s/server/tls"] = (-1, "")
    check = judged(k3s)[checks.KUBECONFIG.name]
    assert (check.status, "did not end within 1 s" in check.seen) == (Status.NOT_PROVEN, True)


def test_an_archive_that_cannot_be_read_leaves_the_images_unproven(k3s: FakeK3s, tmp_path: Path) -> None:
    (tmp_path / "images.tar").write_bytes(b"no archive")
    check = judged(k3s)[checks.IMAGES.name]
    assert check.status is Status.NOT_PROVEN
    assert "images.tar" in check.seen


def test_a_node_that_lists_no_images_leaves_them_unproven(k3s: FakeK3s) -> None:
    k3s.answers["crictl images"] = (0, "connection refused")
    check = judged(k3s)[checks.IMAGES.name]
    assert (check.status, "containerd lists no images" in check.seen) == (Status.NOT_PROVEN, True)


def test_a_guest_that_does_not_answer_in_time_is_named(k3s: FakeK3s) -> None:
    k3s.answers["crictl images"] = (-1, "")
    check = judged(k3s)[checks.IMAGES.name]
    assert (check.status, "did not end within 1 s" in check.seen) == (Status.NOT_PROVEN, True)


def test_a_cluster_that_needs_longer_passes_within_the_deadline(k3s: FakeK3s) -> None:
    condition(node(k3s), "Ready").update(status="False")
    k3s.pods = [pod("coredns-1", phase="Pending", conditions=[])]

    def later(*_: str) -> None:
        if k3s.clock.now > 130:
            condition(node(k3s), "Ready").update(status="True")
            k3s.pods = [pod("coredns-1")]

    k3s.before = later
    assert statuses(judged(k3s)) == dict.fromkeys(NOTHING_ASKED, Status.NOT_ASKED)


def test_without_a_registry_the_network_is_asked_all_the_same(k3s: FakeK3s) -> None:
    k3s.context = replace(k3s.context, gateway=FakeGateway(k3s, "on VMware"))  # type: ignore[arg-type]
    found = judged(k3s)
    assert (found[checks.REGISTRY_IMAGE.name].status, found[checks.REGISTRY_IMAGE.name].seen) == (
        Status.NOT_PROVEN,
        "on VMware",
    )
    assert found[checks.POD_NETWORK.name].status is Status.PASS


def test_without_an_image_to_run_nothing_is_put_into_the_cluster(k3s: FakeK3s, tmp_path: Path) -> None:
    image_archive(tmp_path / "images.tar", PAUSE)
    found = judged(k3s)
    assert found[checks.POD_NETWORK.name].status is Status.NOT_PROVEN
    assert found[checks.REMOVED.name].status is Status.PASS
    assert not any("apply" in command for command in k3s.commands)


def test_a_cluster_without_coredns_is_not_asked_for_names(k3s: FakeK3s) -> None:
    k3s.dns = False
    assert judged(k3s)[checks.CLUSTER_DNS.name].status is Status.NOT_ASKED


def test_storage_is_asked_where_there_is_a_class(k3s: FakeK3s) -> None:
    k3s.storage = [{"kind": "StorageClass", "metadata": {"name": "local-path"}}]
    assert judged(k3s)[checks.STORAGE.name].status is Status.PASS


@pytest.mark.parametrize("there", [True, False])
def test_kubesphere_is_asked_where_the_lab_file_promises_it(k3s: FakeK3s, tmp_path: Path, there: bool) -> None:
    k3s.context = replace(with_payload(k3s.context, tmp_path, kubesphere_port=30880), gateway=k3s.context.gateway)
    if there:
        k3s.namespaces.append("kubesphere-system")
        k3s.pods.append(pod("ks-console", namespace="kubesphere-system"))
    check = judged(k3s)[checks.KUBESPHERE.name]
    assert check.status is (Status.PASS if there else Status.NOT_PROVEN)
    assert there or "no namespace kubesphere-system" in check.seen
    url = {KUBESPHERE_FACT: "http://192.168.6.10:30880"} if there else {}
    assert k3s.facts == {API_FACT: "https://192.168.6.10:6443", **url}
