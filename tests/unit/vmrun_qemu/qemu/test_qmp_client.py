"""One QMP session: answers, refusals, silence."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from fake_qmp import RefusedError, fake_qmp

from harness.vmrun_qemu.base.endpoint import Endpoint, new_endpoint
from harness.vmrun_qemu.qemu.qmp_client import CommandError, run_session


def test_each_command_has_its_answer() -> None:
    with fake_qmp(lambda name, arguments: [name, arguments]) as qemu:
        answers = run_session(Endpoint(qemu.address), [("one", {"a": 1}), ("two", {})], 10)
    assert answers == [["one", {"a": 1}], ["two", {}]]


def test_after_a_refusal_no_command_is_sent() -> None:
    def refuses(_name: str, _arguments: dict[str, Any]) -> Any:
        raise RefusedError("not now")

    with fake_qmp(refuses) as qemu:
        with pytest.raises(CommandError, match=r"^not now$"):
            run_session(Endpoint(qemu.address), [("one", {}), ("two", {})], 10)
        assert qemu.names == ["one"]


def test_without_qemu_there_is_no_connection() -> None:
    with pytest.raises(ConnectionError):
        run_session(new_endpoint("", "none"), [("one", {})], 10)


def test_silence_ends_at_the_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(TimeoutError):
        run_session(Endpoint("{}:{}".format(*listener.getsockname())), [("one", {})], 0.1)
