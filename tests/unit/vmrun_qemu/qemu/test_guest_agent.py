"""The guest agent, played by a thread behind a socket: in step, late, silent, closed, broken; and who asks it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

import pytest
from fake_agent import agent_at, fake_guest, in_step, refuses, reply, supervised

from harness.vmrun_qemu.base.endpoint import Endpoint
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.client import supervisor
from harness.vmrun_qemu.client.guest import Guest, GuestRefusedError, GuestSilentError
from harness.vmrun_qemu.client.tools import first_address
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


def test_an_error_is_told_in_the_guests_words() -> None:
    refused = pytest.raises(AgentRefusedError, match="disabled")
    with fake_guest(refuses) as port, agent_at(port) as agent, refused:
        agent.ask("guest-exec", {}, 5)


def test_silence_ends_with_the_deadline_and_the_line_is_given_up() -> None:
    asked: list[str] = []

    def deaf_at_first(question: dict[str, Any]) -> bytes:
        asked.append(question["execute"])
        return in_step(question) if len(asked) > 1 else b""

    with fake_guest(deaf_at_first) as port, agent_at(port) as agent:
        with pytest.raises(AgentSilentError):
            agent.ask("guest-exec", {}, 0.1)
        assert agent.ask("guest-info", {}, 5) == {"asked": "guest-info"}
    assert asked == ["guest-sync", "guest-sync", "guest-info"]


def test_nothing_is_sent_to_a_port_that_nobody_in_the_guest_has_open() -> None:
    heard: list[dict[str, Any]] = []

    def notes(question: dict[str, Any]) -> bytes:
        heard.append(question)
        return b""

    with fake_guest(notes) as port, agent_at(port, port_is_open=False) as agent:
        with pytest.raises(AgentClosedError):
            agent.tell("guest-shutdown", {"mode": "powerdown"}, 5)
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


def test_the_supervisor_passes_questions_on_and_answers_back() -> None:
    with supervised(in_step) as record, Guest(record) as guest:
        assert guest.state() == "running"
        assert guest.ask("guest-info") == {"asked": "guest-info"}
        guest.send("guest-shutdown", {"mode": "reboot"})
        assert guest.ask("guest-info", {"a": 1}) == {"asked": "guest-info"}


def test_the_supervisor_carries_out_orders_or_says_why_not() -> None:
    with supervised(in_step) as record:
        supervisor.request(record, "pause", 5)
        with pytest.raises(Failure, match=r"^cannot fly home$"):
            supervisor.request(record, "fly", 5, what="home")
    with pytest.raises(Failure, match="did not answer"):
        supervisor.request(record, "pause", 5)


def test_the_supervisor_tells_a_refusal_from_silence() -> None:
    def some_refuse(question: dict[str, Any]) -> bytes:
        return b"" if question["execute"] == "guest-silent" else refuses(question)

    with supervised(some_refuse) as record, Guest(record) as guest:
        with pytest.raises(GuestRefusedError, match="disabled"):
            guest.ask("guest-exec")
        with pytest.raises(GuestSilentError):
            guest.ask("guest-silent", limit_s=0.1)


def test_a_supervisor_that_is_gone_is_a_silent_guest(tmp_path: Path) -> None:
    with supervised(in_step) as record:
        record["service"] = str(tmp_path / "none")
    with pytest.raises(GuestSilentError):
        Guest(record)


def test_an_order_that_breaks_is_told_with_its_error_and_the_next_one_is_obeyed() -> None:
    with supervised(in_step) as record:
        with pytest.raises(Failure, match="Unknown error: KeyError: 'key'"):
            supervisor.request(record, "break", 5)
        supervisor.request(record, "pause", 5)


def test_a_machine_that_an_older_version_started_has_a_silent_guest() -> None:
    with supervised(in_step) as record:
        old = {key: value for key, value in record.items() if key != "service"}
    with pytest.raises(GuestSilentError, match="older version"):
        Guest(cast("Record", old))
    with pytest.raises(Failure, match="did not answer: it is of an older version"):
        supervisor.request(cast("Record", old), "pause", 5)


def test_a_line_that_is_no_question_is_answered_and_does_no_harm() -> None:
    with supervised(in_step) as record:
        with Endpoint(record["service"]).connect(5) as stream, stream.makefile("rb") as lines:
            for line in (b"nonsense\n", b"[]\n", b'{"request": "fly"}\n', b'{"request": ["agent"]}\n'):
                stream.sendall(line)
                assert b"refused" in lines.readline()
            stream.sendall(b'{"request": "agent"}\n')
            assert b"KeyError" in lines.readline()
        with Guest(record) as guest:
            assert guest.state() == "running"


def test_the_first_useful_ipv4_address_counts() -> None:
    def interface(*addresses: str) -> dict[str, Any]:
        kinds = {True: "ipv6", False: "ipv4"}
        return {"ip-addresses": [{"ip-address": a, "ip-address-type": kinds[":" in a]} for a in addresses]}

    usual = [interface("127.0.0.1", "::1"), {"name": "down"}, interface("fe80::1", "169.254.0.3", "192.168.6.10")]
    assert first_address(usual) == "192.168.6.10"
    assert first_address(usual[:2]) == ""
    assert first_address([]) == ""
