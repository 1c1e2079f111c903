"""The daemon of a network when its switch or a card fails."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.vmrun_qemu.base import process, records
from harness.vmrun_qemu.base.messages import Failure, PowerOnFailure
from harness.vmrun_qemu.network import capture, daemon, definitions, switch
from harness.vmrun_qemu.qemu import locate, qmp


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A network with one VM, whose switch has just died."""
    state = SimpleNamespace(members={"m": {}}, errors=[], started=0, waits=0, log=tmp_path / "net" / "vmnet1")
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["daemon", "vmnet1"])
    monkeypatch.setattr(daemon, "report_start", lambda _: None)
    monkeypatch.setattr(switch, "members", lambda _: state.members)
    monkeypatch.setattr(switch, "forget", lambda _: None)
    monkeypatch.setattr(process, "ended", lambda child, _: child != "alive" or state.members.clear())
    monkeypatch.setattr(daemon, "_end_unused_switch", lambda *_: True)
    monkeypatch.setattr(daemon, "wait_for", lambda *_: setattr(state, "waits", state.waits + 1))

    def start(_: str) -> Any:
        state.started += 1
        if state.started > 1 and state.errors:
            raise state.errors.pop(0)
        return "dead" if state.started == 1 else "alive"

    monkeypatch.setattr(daemon, "_start_switch", start)
    return state


def test_a_switch_that_cannot_be_restarted_is_retried(
    network: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    network.errors = [Failure("port 22/tcp of 127.0.0.1 is taken"), qmp.QmpError("gone"), OSError("full")]
    assert daemon.main() == 0
    assert (network.started, network.waits) == (5, 3)
    output = capsys.readouterr().err
    assert [word in output for word in ("port 22/tcp", "gone", "full")] == [True] * 3


def test_the_daemon_gives_up_after_five_restarts_and_logs_it(
    network: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    network.errors = [PowerOnFailure("no QEMU")] * 100
    assert daemon.main() == 1
    assert network.started == 6
    output = capsys.readouterr().err
    assert "no QEMU" in output
    assert "the network is down" in output


def test_a_socket_directory_is_recorded_before_it_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(tmp_path))
    monkeypatch.setattr(locate, "find", lambda: SimpleNamespace(binary=Path("/usr/bin/false")))
    made: list[str] = []

    def launch(*_: Any) -> Any:
        record = switch.load("vmnet1")
        assert record is not None
        made.append(record["socket_dir"])
        assert not made[0] or Path(made[0]).is_dir()
        raise OSError("cannot start")

    monkeypatch.setattr(daemon, "_launch", launch)
    with pytest.raises(OSError, match="cannot start"):
        daemon._start_switch("vmnet1")
    switch.forget("vmnet1")
    assert made
    assert not made[0] or not Path(made[0]).exists()


PLUG: records.Plug = {"nic": "ethernet0", "vmnet": "vmnet1", "endpoint": "/nowhere"}


def test_an_unreachable_card_does_not_keep_others_off_the_network(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    attached: list[str] = []

    def attach(_: str, name: str, __: records.Plug) -> None:
        if name == "going":
            raise qmp.QmpError("does not answer")
        attached.append(name)

    monkeypatch.setattr(capture, "attach", lambda *_: None)
    monkeypatch.setattr(definitions, "forwards", lambda _: [])
    monkeypatch.setattr(switch, "members", lambda _: {name: {"plug": PLUG} for name in ("going", "coming")})
    monkeypatch.setattr(switch, "attach", attach)
    daemon._connect_all("vmnet1", "qmp")
    assert attached == ["coming"]
    assert "going is not connected to vmnet1: does not answer" in capsys.readouterr().err
