"""The daemon of a network when its switch or a card fails."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from fake_qmp import RefusedError, fake_qmp

from harness.system import process_identity
from harness.vmrun_qemu.base import endpoint, home
from harness.vmrun_qemu.base.daemon import StartReport
from harness.vmrun_qemu.base.messages import Failure, PowerOnFailure
from harness.vmrun_qemu.base.process import Child
from harness.vmrun_qemu.base.records import Plug
from harness.vmrun_qemu.network import daemon, switch
from harness.vmrun_qemu.qemu import qmp

PLUG: Plug = {"nic": "ethernet0", "vmnet": "vmnet1", "endpoint": "/nowhere"}


def plug_in(member: str) -> Path:
    """Record a card of a VM that lives."""
    file = home.net_dir("vmnet1") / "members" / f"{member}.json"
    home.write_json(file, {"plug": PLUG, "owner": process_identity.identity(os.getpid()), "vm": member})
    return file


@dataclass
class FakeSwitch:
    """A switch that has ended, or runs until its VM has ended."""

    member: Path
    dead: bool

    def wait(self, timeout: float) -> int:
        if not self.dead:
            home.remove(self.member)
            raise subprocess.TimeoutExpired("switch", timeout)
        return 0

    def terminate(self) -> None:
        self.dead = True


@dataclass
class Network:
    """A network whose switch has just died; `errors` prevent its restart."""

    member: Path
    socket_dir: str = ""
    errors: list[Exception] = field(default_factory=list)
    started: int = 0
    pauses: list[float] = field(default_factory=list)
    reports: list[StartReport] = field(default_factory=list)

    def start(self, _: str) -> daemon.RunningSwitch:
        self.started += 1
        if self.started > 1 and self.errors:
            raise self.errors.pop(0)
        return daemon.RunningSwitch(cast("Child", FakeSwitch(self.member, dead=self.started == 1)), self.socket_dir)

    def run(self) -> int:
        return daemon.run_network("vmnet1", self.start, self.reports.append, self.pauses.append)


@pytest.fixture
def network() -> Network:
    return Network(plug_in("m"))


def test_a_switch_that_cannot_be_restarted_is_retried(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    network.errors = [Failure("port 22/tcp of 127.0.0.1 is taken"), qmp.QmpError("gone"), OSError("full")]
    assert network.run() == 0
    assert (network.started, network.pauses) == (5, [2.0, 3.0, 4.0])
    assert network.reports == [StartReport()]
    output = capsys.readouterr().err
    assert [word in output for word in ("port 22/tcp", "gone", "full")] == [True] * 3


def test_the_daemon_gives_up_after_five_restarts_and_logs_it(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    network.errors = [PowerOnFailure("no QEMU")] * 100
    assert network.run() == 1
    assert network.started == 6
    output = capsys.readouterr().err
    assert "no QEMU" in output
    assert "the network is down" in output


def test_a_network_whose_files_were_deleted_leaves_no_sockets(network: Network) -> None:
    network.socket_dir = endpoint.new_socket_dir()
    endpoint.make_socket_dir(network.socket_dir)
    network.member.unlink()
    assert switch.load("vmnet1") is None
    assert network.run() == 0
    assert not network.socket_dir or not Path(network.socket_dir).exists()


def test_a_switch_that_never_started_is_reported(network: Network) -> None:
    network.started, network.errors = 1, [PowerOnFailure("no QEMU\nhere")]
    assert network.run() == 1
    assert network.reports == [StartReport("no QEMU here")]


def test_a_socket_directory_is_recorded_before_it_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMRUN_QEMU_BIN", sys.executable)
    made: list[str] = []

    def launch(*_: object) -> Child:
        record = switch.load("vmnet1")
        assert record is not None
        made.append(record["socket_dir"])
        assert not made[0] or Path(made[0]).is_dir()
        raise OSError("cannot start")

    with pytest.raises(OSError, match="cannot start"):
        daemon.start_switch("vmnet1", launch)
    switch.forget("vmnet1")
    assert made
    assert not made[0] or not Path(made[0]).exists()


def test_an_unreachable_card_does_not_keep_others_off_the_network(capsys: pytest.CaptureFixture[str]) -> None:
    for member in ("going", "coming"):
        plug_in(member)

    def answer(name: str, arguments: dict[str, Any]) -> Any:
        if arguments.get("id") == "m-going":
            raise RefusedError("does not answer")
        return "m-coming: index=0,type=stream,unix:/there" if name == "human-monitor-command" else {}

    with fake_qmp(answer) as qemu:
        daemon.connect_all("vmnet1", qemu.address)
    attached = [arguments["id"] for name, arguments in qemu.commands if arguments.get("type") == "hubport"]
    assert attached == ["h-coming"]
    assert "going is not connected to vmnet1: does not answer" in capsys.readouterr().err
