"""A fake guest agent behind a port, and its supervisor."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from harness.system.process_identity import identity
from harness.vmrun_qemu.base.endpoint import new_endpoint
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.qemu.guest_agent import Agent
from harness.vmrun_qemu.supervisor.server import RequestServer

Answer = Callable[[dict[str, Any]], bytes]


def reply(value: Any) -> bytes:
    return json.dumps({"return": value}).encode() + b"\n"


def in_step(question: dict[str, Any]) -> bytes:
    if question["execute"] == "guest-sync":
        return reply(question["arguments"]["id"])
    return reply({"asked": question["execute"]})


def refuses(question: dict[str, Any]) -> bytes:
    refusal = b'{"error": {"class": "GenericError", "desc": "disabled"}}\n'
    return in_step(question) if question["execute"] == "guest-sync" else refusal


@contextmanager
def fake_guest(answer: Answer, greeting: bytes = b"") -> Iterator[str]:
    """Listen like QEMU's agent port; `answer` is called for each line."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError), client, client.makefile("rb") as lines:  # who asks may hang up at any time
                client.sendall(greeting)
                for line in lines:
                    client.sendall(answer(json.loads(line.lstrip(b"\xff"))))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield "{}:{}".format(*listener.getsockname())
    finally:
        with suppress(OSError):  # Windows has nothing to shut down in a listener
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextmanager
def agent_at(port: str, *, port_is_open: bool = True) -> Iterator[Agent]:
    agent = Agent(port, lambda: port_is_open)
    try:
        yield agent
    finally:
        agent.close()


def fake_operation(request: Mapping[str, Any]) -> Any:
    if request["operation"] == "environment":
        return {}
    if request["operation"] == "break":
        return request["key"]
    if request["operation"] != "pause":
        raise Failure(f"cannot {request['operation']} {request['what']}")
    return None


@contextmanager
def supervised(
    answer: Answer,
    vmx: str = "/a.vmx",
    *,
    port_is_open: bool = True,
    operation: Callable[[Mapping[str, Any]], Any] = fake_operation,
) -> Iterator[Record]:
    """Serve a VM whose guest answers with `answer`; yield its record."""
    me = identity(os.getpid())
    with fake_guest(answer) as port, agent_at(port, port_is_open=port_is_open) as agent:
        endpoint = new_endpoint("", "service")
        service = RequestServer(endpoint, agent, operation)
        service.start()
        yield {
            "vmx": vmx, "phase": "running", "resumed": False, "supervisor": me, "plugs": [], "locks": [],
            "qemu": me, "qmp": "", "service": endpoint.text, "socket_dir": "",
            "accelerator": "tcg",
        }  # fmt: skip
        service.close()
