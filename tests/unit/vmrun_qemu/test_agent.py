"""The guest agent, played by a thread behind a socket: in step, late, silent, broken."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.vmrun_qemu.agent import Agent, AgentRefusedError, AgentSilentError
from harness.vmrun_qemu.tools import first_address

Answer = Callable[[dict[str, Any]], bytes]


def reply(value: Any) -> bytes:
    return json.dumps({"return": value}).encode() + b"\n"


def in_step(question: dict[str, Any]) -> bytes:
    if question["execute"] == "guest-sync":
        return reply(question["arguments"]["id"])
    return reply({"asked": question["execute"]})


@contextmanager
def fake_guest(folder: Path, answer: Answer, greeting: bytes = b"") -> Iterator[str]:
    """Listen like QEMU's agent port and answer each line with `answer`."""
    listener = socket.socket(socket.AF_UNIX)
    path = str(folder / "agent")
    listener.bind(path)
    listener.listen()

    def serve() -> None:
        client, _ = listener.accept()
        with client, client.makefile("rb") as lines:
            client.sendall(greeting)
            for line in lines:
                client.sendall(answer(json.loads(line.lstrip(b"\xff"))))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield path
    finally:
        listener.close()
        thread.join(5)


def test_questions_are_answered(tmp_path: Path) -> None:
    with fake_guest(tmp_path, in_step) as path, Agent(path, 5) as agent:
        assert agent.ask("guest-ping") == {"asked": "guest-ping"}


def test_answers_to_older_questions_are_skipped(tmp_path: Path) -> None:
    stale = reply({"old": 1}) + b"torn {\n" + reply(12) + b"[1]\n"
    with fake_guest(tmp_path, in_step, stale) as path, Agent(path, 5) as agent:
        assert agent.ask("guest-info") == {"asked": "guest-info"}


def test_an_error_is_told_in_the_guests_words(tmp_path: Path) -> None:
    def refuses(question: dict[str, Any]) -> bytes:
        refusal = b'{"error": {"class": "GenericError", "desc": "disabled"}}\n'
        return in_step(question) if question["execute"] == "guest-sync" else refusal

    with (
        fake_guest(tmp_path, refuses) as path,
        Agent(path, 5) as agent,
        pytest.raises(AgentRefusedError, match="disabled"),
    ):
        agent.ask("guest-exec")


def test_silence_ends_with_the_deadline(tmp_path: Path) -> None:
    with fake_guest(tmp_path, lambda _: b"") as path, pytest.raises(AgentSilentError), Agent(path, 0.2):
        pass


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AgentSilentError):
        Agent(str(tmp_path / "none"), 1)


def test_the_first_useful_ipv4_address_counts() -> None:
    def interface(*addresses: str) -> dict[str, Any]:
        kinds = {True: "ipv6", False: "ipv4"}
        return {"ip-addresses": [{"ip-address": a, "ip-address-type": kinds[":" in a]} for a in addresses]}

    usual = [interface("127.0.0.1", "::1"), {"name": "down"}, interface("fe80::1", "169.254.0.3", "192.168.6.10")]
    assert first_address(usual) == "192.168.6.10"
    assert first_address(usual[:2]) == ""
    assert first_address([]) == ""
