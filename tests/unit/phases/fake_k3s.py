"""A k3s of three machines that answers the commands of the cluster phase from memory."""

from __future__ import annotations

import ast
import contextlib
import json
import re
import shlex
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import cluster_samples as samples
from archive_samples import BUSYBOX, PAUSE
from fake_clock import FakeClock

from harness.core.deadline import Deadline
from harness.guest.channel import CommandResult, CommandTimeout
from harness.machine.context import RunContext
from harness.machine.machine import Machine

EPOCH = 1_796_000_000.0
_LOADS = re.compile(r"json\.loads\((['\"].*)\)\)\)\)$", re.DOTALL)


class FakeK3s:
    """The cluster.

    Attributes:
        nodes: As the API has them, by name.
        silent: Nodes whose lease is not renewed.
        pods: Those of kube-system.
        applied: Objects that the run created.
        answers: Part of a command -> (exit status, output), in place of what a good cluster says.
        wrong: Part of the target of a question -> the answer of pods and nodes.
        open_ways: Whether a pod gets an answer from outside.
        reaches_master: Whether a pod reaches the API.
        dns: Whether it has CoreDNS.
        api: What its API answers.
        commands: What was run, as `machine: command`.
        states: What the master's journal got, with the phase.
        facts: What the phase noted for the report.
        boots: What each guest runs.
        power: What was done to the machines' power, as `cut k3s-worker1`.
        reboots: Whether a machine that is switched on again reaches the cluster.
    """

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self.clock = FakeClock()
        self.nodes = samples.nodes()
        self.boots = dict(samples.BOOTS)
        self.power: list[str] = []
        self.reboots = True
        for plan in context.plan.machines:
            self.nodes[plan.name]["status"]["nodeInfo"]["systemUUID"] = plan.nonce
        self.silent: set[str] = set()
        self.pods = [samples.pod("coredns-1")]
        self.applied: list[dict[str, Any]] = []
        self.digest = ""
        self.answers: dict[str, tuple[int, str]] = {}
        self.before: Callable[[str, str], object] = lambda name, command: None
        self.wrong: dict[str, str] = {}
        self.open_ways = False
        self.reaches_master = True
        self.dns = True
        self.api = b"HTTP/1.1 200 OK\r\n\r\n{}"
        self.storage: list[dict[str, Any]] = []
        self.namespaces = ["kube-system"]
        self.stays: bool = False
        self.commands: list[str] = []
        self.states: list[tuple[str, str]] = []
        self.facts: dict[str, object] = {}
        self.stream: Callable[[str, int, float], Any] = lambda *_: None

    def machines(self) -> list[Machine]:
        """Return the machines of the lab."""
        return [cast(Machine, self._machine(plan)) for plan in self.context.plan.machines]

    def _machine(self, plan: Any) -> SimpleNamespace:
        ssh = SimpleNamespace(
            run=lambda command, limit_s=None, **_: self._run(plan.name, command),
            reconnect=lambda _: None,
            channel=SimpleNamespace(open_stream=self._open),
        )
        ssh.connect = lambda deadline, *, not_boot_id: None
        power = SimpleNamespace(
            cut=lambda deadline: self._lose(f"cut {plan.name}", plan.name),
            off=lambda deadline: self._lose(f"off {plan.name}", plan.name),
            on=lambda number, deadline: self._return(f"on {plan.name} {number}", plan.name),
        )
        return SimpleNamespace(
            power=power,
            name=plan.name,
            plan=plan,
            context=self.context,
            iso=SimpleNamespace(has_k3s=True),
            endpoint=SimpleNamespace(forward=True),
            ssh=ssh,
            journal=SimpleNamespace(
                state=lambda text, phase=None: self.states.append((text, phase)), facts=self.facts.update
            ),
            deadline=lambda seconds, key="": Deadline(seconds, self.clock, setting=key),
        )

    def _lose(self, deed: str, name: str) -> None:
        self.power.append(deed)
        self.silent.add(name)
        samples.condition(self.nodes[name], "Ready").update(status="Unknown", reason="NodeStatusUnknown")

    def _return(self, deed: str, name: str) -> None:
        self.power.append(deed)
        self.boots[name] = f"next boot of {name}"
        if self.reboots:
            self.nodes[name]["status"]["nodeInfo"]["bootID"] = self.boots[name]
            self.silent.discard(name)
            samples.condition(self.nodes[name], "Ready").update(status="True", reason="KubeletReady")

    def _open(self, address: str, port: int, timeout_s: float) -> Any:
        return self.stream(address, port, timeout_s)

    def _run(self, name: str, command: str) -> CommandResult:
        self.commands.append(f"{name}: {command}")
        self.clock.sleep(0.1)
        self.before(name, command)
        for part, (status, text) in self.answers.items():
            if part in command:
                if status == -1:
                    raise CommandTimeout(command, where=name, timeout_s=1)
                return CommandResult(command, status, text if status == 0 else "", "" if status == 0 else text, 0.1)
        return CommandResult(command, 0, self._answer(name, command), "", 0.1)

    def _answer(self, name: str, command: str) -> str:
        known: tuple[tuple[str, Callable[[], str]], ...] = (
            ("systemctl show", lambda: self._units(name)),
            ("date +%s", lambda: str(EPOCH + self.clock.now)),
            ("apply -f -", lambda: self._apply(command)),
            ("delete namespace", self._delete),
            ("ask_all", lambda: self._ask(name, command)),
            ("probe_all", lambda: self._probe(command)),
            ("crictl images", self._images),
            (" get ", lambda: json.dumps({"items": self._get(command)})),
        )
        return next((answer() for part, answer in known if part in command), "")

    def _units(self, name: str) -> str:
        unit = "k3s.service" if name == "k3s-master1" else "k3s-agent.service"
        return f"{self.boots[name]}\nId={unit}\nLoadState=loaded\nActiveState=active\nSubState=running\nNRestarts=0\n"

    def _get(self, command: str) -> list[dict[str, Any]]:
        if " nodes,leases" in command:
            return [*({"kind": "Node", **item} for item in self.nodes.values()), *self._leases()]
        if " namespaces " in command:
            return [{"kind": "Namespace", "metadata": {"name": name}} for name in self.namespaces]
        if " storageclasses " in command:
            return self.storage
        if "--namespace=airgap-lab-" in command:
            return [*self._mine(), *(one for one in self.applied if one["kind"] == "Service")]
        if " services " in command:
            return [one for one in self._services() if self.dns or one["metadata"]["name"] != "kube-dns"]
        return self.pods

    def _leases(self) -> list[dict[str, Any]]:
        now = datetime.fromtimestamp(EPOCH + self.clock.now, UTC).isoformat()
        old = datetime.fromtimestamp(EPOCH, UTC).isoformat()
        return [samples.lease(name, old if name in self.silent else now) for name in samples.NAMES]

    def _services(self) -> list[dict[str, Any]]:
        known = {("default", "kubernetes"): "10.43.0.1", ("kube-system", "kube-dns"): "10.43.0.10"}
        return [
            {"kind": "Service", "metadata": {"namespace": space, "name": name}, "spec": {"clusterIP": address}}
            for (space, name), address in known.items()
        ]

    def _apply(self, command: str) -> str:
        items = json.loads(command.split("\n")[1])["items"]
        for item in items:
            if item["kind"] == "Service":
                item["spec"].update(clusterIP="10.43.7.7", ports=[{"nodePort": 30123}])
            if item["kind"] == "Namespace":
                self.namespaces.append(item["metadata"]["name"])
            self.applied.append(item)
        return "created"

    def _mine(self) -> list[dict[str, Any]]:
        found = []
        for item in self.applied:
            space = item["metadata"].get("namespace", "")
            if item["kind"] == "DaemonSet":
                state = {"containerStatuses": [{"ready": True, "imageID": f"x@{self.digest}"}]}
                found += [
                    samples.pod(f"probe-{number}", name, namespace=space, podIP=f"10.42.{number}.2", **state)
                    for number, name in enumerate(samples.NAMES)
                ]
            if item["kind"] == "Pod":
                found.append(samples.pod(item["metadata"]["name"], namespace=space, phase="Succeeded"))
        return found

    def _delete(self) -> str:
        if not self.stays:
            self.namespaces = [name for name in self.namespaces if not name.startswith("airgap-lab-")]
            self.applied.clear()
        return ""

    def _images(self) -> str:
        return json.dumps({"images": [{"repoTags": [PAUSE, BUSYBOX]}]})

    def _ask(self, name: str, command: str) -> str:
        return json.dumps([self._reply(name, question) for question in asked_of(command)])

    def _reply(self, name: str, question: dict[str, Any]) -> dict[str, Any]:
        wrong = next((text for part, text in self.wrong.items() if part in f"{name} -> {question['target']}"), None)
        if wrong is not None:
            return {"answered": False, "detail": wrong}
        more = " k3s-worker1" if question["prefix"] else ""
        return {"answered": True, "detail": question["expected"] + more if question["kind"] != "web" else "HTTP 200 OK"}

    def _probe(self, command: str) -> str:
        return json.dumps(
            [
                {
                    "open": self.reaches_master if one.get("check") == "control" else self.open_ways,
                    "detail": "-",
                    "tried": True,
                }
                for one in asked_of(command)
            ]
        )


def asked_of(command: str) -> list[dict[str, Any]]:
    """Return the questions in a command that sends a program to a guest."""
    program = shlex.split(command)[-1]
    match = _LOADS.search(program)
    assert match is not None, program[-200:]
    found: list[dict[str, Any]] = json.loads(ast.literal_eval(match[1]))
    return found


@contextlib.contextmanager
def fake_api(certificate: Path, key: Path, answer: Callable[[], bytes]) -> Iterator[int]:
    """Serve one TLS connection on the loopback; yield its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def serve() -> None:
            with contextlib.suppress(OSError):
                raw, _ = server.accept()
                with context.wrap_socket(raw, server_side=True) as peer:
                    peer.recv(4096)
                    peer.sendall(answer())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        yield port
        with contextlib.suppress(OSError):  # ends the wait of a server that was not asked
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        thread.join(20)
