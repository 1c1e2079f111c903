"""The agent client against a fake agent: late, silent, closed, broken."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from fake_agent import agent_at, fake_guest, in_step, refuses, reply

from harness.vmrun_qemu.qemu.guest_agent import Agent, AgentClosedError, AgentRefusedError, AgentSilentError


def test_questions_are_answered() -> None:
    with fake_guest(in_step) as port, agent_at(port) as agent:
        assert agent.ask("guest-ping", {}, 5) == {"asked": "guest-ping"}


def test_an_agent_that_answered_just_now_is_not_asked_whether_it_is_there() -> None:
    heard: list[str] = []

    def notes(question: dict[str, Any]) -> bytes:
        heard.append(question["execute"])
        return in_step(question)

    with fake_guest(notes) as port, agent_at(port) as agent:
        agent.connect()
        agent.ask("guest-info", {}, 5)
        agent.ask("guest-info", {}, 5)
    assert heard == ["guest-sync", "guest-info", "guest-info"]


def test_answers_to_older_questions_are_skipped() -> None:
    stale = reply({"old": 1}) + b"torn {\n" + reply(12) + b"[1]\n"
    with fake_guest(in_step, stale) as port, agent_at(port) as agent:
        assert agent.ask("guest-info", {}, 5) == {"asked": "guest-info"}


def test_an_error_has_the_guests_own_text() -> None:
    refused = pytest.raises(AgentRefusedError, match="disabled")
    with fake_guest(refuses) as port, agent_at(port) as agent, refused:
        agent.ask("guest-exec", {}, 5)


def test_silence_ends_with_the_deadline_and_closes_the_connection() -> None:
    asked: list[str] = []

    def deaf_at_first(question: dict[str, Any]) -> bytes:
        asked.append(question["execute"])
        return in_step(question) if len(asked) > 1 else b""

    with fake_guest(deaf_at_first) as port, agent_at(port) as agent:
        with pytest.raises(AgentSilentError):
            agent.ask("guest-exec", {}, 0.1)
        assert agent.ask("guest-info", {}, 5) == {"asked": "guest-info"}
    assert asked == ["guest-sync", "guest-sync", "guest-info"]


def test_nothing_is_sent_to_a_port_that_is_closed_in_the_guest() -> None:
    heard: list[dict[str, Any]] = []

    def notes(question: dict[str, Any]) -> bytes:
        heard.append(question)
        return b""

    with fake_guest(notes) as port, agent_at(port, port_is_open=False) as agent:
        with pytest.raises(AgentClosedError):
            agent.send("guest-shutdown", {"mode": "powerdown"}, 5)
        assert agent.state(5) == "unknown"
    assert heard == []


def test_a_guest_that_closes_the_port_is_noticed_before_the_deadline() -> None:
    alive = [True]

    def until_told(question: dict[str, Any]) -> bytes:
        return in_step(question) if alive[0] else b""

    with fake_guest(until_told) as port:
        agent = Agent(port, lambda: alive[0])
        assert agent.state(60) == "running"
        alive[0] = False
        assert agent.state(60) == "installed"
        agent.close()


def test_a_question_waits_no_longer_than_its_own_limit_for_another_one() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow(question: dict[str, Any]) -> bytes:
        if question["execute"] == "guest-slow":
            asked.set()
            go_on.wait(30)
        return in_step(question)

    with fake_guest(slow) as port, agent_at(port) as agent:
        first = threading.Thread(target=agent.ask, args=("guest-slow", {}, 30))
        first.start()
        asked.wait(30)
        assert agent.state(0.1) == "installed"
        with pytest.raises(AgentSilentError, match="busy"):
            agent.ask("guest-info", {}, 0.1)
        go_on.set()
        first.join(30)
        assert agent.state(30) == "running"


def test_a_port_that_is_open_and_silent_is_an_installed_agent() -> None:
    with fake_guest(lambda _: b"") as port, agent_at(port) as agent:
        assert agent.state(0.1) == "installed"


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    with agent_at(str(tmp_path / "none")) as agent:
        agent.connect()
        with pytest.raises(AgentSilentError):
            agent.ask("guest-ping", {}, 1)
