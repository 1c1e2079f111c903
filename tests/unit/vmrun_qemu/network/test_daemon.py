"""The keeper of a network lives on when its switch cannot be replaced at once."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.system import process_identity
from harness.vmrun_qemu.base import process, records
from harness.vmrun_qemu.base.messages import Failure, PowerOnFailure
from harness.vmrun_qemu.network import capture, daemon, definitions, switch
from harness.vmrun_qemu.qemu import locate, qmp


@pytest.fixture
def keeping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A network with one machine, whose switch has just died."""
    told = SimpleNamespace(members={"m": {}}, errors=[], started=0, waits=0, log=tmp_path / "net" / "vmnet1")
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["keeper", "vmnet1"])
    monkeypatch.setattr(daemon, "report_start", lambda _: None)
    monkeypatch.setattr(switch, "members", lambda _: told.members)
    monkeypatch.setattr(switch, "forget", lambda _: None)
    monkeypatch.setattr(process, "ended", lambda child, _: child != "alive" or told.members.clear())
    monkeypatch.setattr(daemon, "_sweep", lambda *_: True)
    monkeypatch.setattr(daemon, "wait_for", lambda *_: setattr(told, "waits", told.waits + 1))

    def start(_: str) -> Any:
        told.started += 1
        if told.started > 1 and told.errors:
            raise told.errors.pop(0)
        return "dead" if told.started == 1 else "alive"

    monkeypatch.setattr(daemon, "_start", start)
    return told


def test_it_tries_again(keeping: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    keeping.errors = [Failure("port 22/tcp of 127.0.0.1 is taken"), qmp.QmpError("gone"), OSError("full")]
    assert daemon.main() == 0
    assert (keeping.started, keeping.waits) == (5, 3)
    said = capsys.readouterr().err
    assert [word in said for word in ("port 22/tcp", "gone", "full")] == [True] * 3


def test_it_gives_up_at_some_time_and_says_so(keeping: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    keeping.errors = [PowerOnFailure("no QEMU")] * 100
    assert daemon.main() == 1
    assert keeping.started == 6
    said = capsys.readouterr().err
    assert "no QEMU" in said
    assert "without a network" in said


def test_a_socket_directory_is_noted_before_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
        daemon._start("vmnet1")
    switch.forget("vmnet1")
    assert made
    assert not made[0] or not Path(made[0]).exists()


PLUG: records.Plug = {"nic": "ethernet0", "vmnet": "vmnet1", "endpoint": "/nowhere"}


def test_a_card_that_cannot_be_reached_keeps_no_other_from_the_network(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    attached: list[str] = []

    def attach(_: str, name: str, __: records.Plug) -> None:
        if name == "going":
            raise qmp.QmpError("nobody answers")
        attached.append(name)

    monkeypatch.setattr(capture, "attach", lambda *_: None)
    monkeypatch.setattr(definitions, "forwards", lambda _: [])
    monkeypatch.setattr(switch, "members", lambda _: {name: {"plug": PLUG} for name in ("going", "coming")})
    monkeypatch.setattr(switch, "attach", attach)
    daemon._connect_all("vmnet1", "qmp")
    assert attached == ["coming"]
    assert "going is not connected to vmnet1: nobody answers" in capsys.readouterr().err


@pytest.mark.parametrize("state", ["", "connection error", "unix:/somewhere"])
def test_a_machine_whose_own_card_is_not_connected_is_not_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(tmp_path))
    loaded = [None, {"qmp": "qmp"}]
    monkeypatch.setattr(switch, "load", lambda _: loaded.pop(0))
    monkeypatch.setattr(switch, "_start_keeper", lambda _: None)
    monkeypatch.setattr(switch, "cable_state", lambda *_: state)
    if state.startswith("unix:"):
        switch.plug_in("m", PLUG, process_identity.identity(os.getpid()))
    else:
        with pytest.raises(PowerOnFailure, match=r"operation was canceled") as caught:
            switch.plug_in("m", PLUG, process_identity.identity(os.getpid()))
        assert caught.value.reason.startswith("ethernet0 is not connected to vmnet1; see ")
    assert loaded == []
