"""The keeper of a network lives on when its switch cannot be replaced at once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.vmrun_qemu import instances, keeper, process, qemu, qmp, switch
from harness.vmrun_qemu.texts import Failure, PowerOnFailure


@pytest.fixture
def keeping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A network with one machine, whose switch has just died."""
    told = SimpleNamespace(members={"m": {}}, errors=[], started=0, waits=0, log=tmp_path / "net" / "vmnet1")
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["keeper", "vmnet1"])
    monkeypatch.setattr(keeper, "_report", lambda _: None)
    monkeypatch.setattr(switch, "members", lambda _: told.members)
    monkeypatch.setattr(switch, "forget", lambda _: None)
    monkeypatch.setattr(process, "ended", lambda child, _: child != "alive" or told.members.clear())
    monkeypatch.setattr(keeper, "_sweep", lambda *_: True)
    monkeypatch.setattr(keeper, "wait_for", lambda *_: setattr(told, "waits", told.waits + 1))

    def start(_: str) -> Any:
        told.started += 1
        if told.started > 1 and told.errors:
            raise told.errors.pop(0)
        return "dead" if told.started == 1 else "alive"

    monkeypatch.setattr(keeper, "_start", start)
    return told


def test_it_tries_again(keeping: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    keeping.errors = [Failure("port 22/tcp of 127.0.0.1 is taken"), qmp.QmpError("gone"), OSError("full")]
    assert keeper.main() == 0
    assert (keeping.started, keeping.waits) == (5, 3)
    said = capsys.readouterr().err
    assert [word in said for word in ("port 22/tcp", "gone", "full")] == [True] * 3


def test_it_gives_up_at_some_time_and_says_so(keeping: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    keeping.errors = [PowerOnFailure("no QEMU")] * 100
    assert keeper.main() == 1
    assert keeping.started == 6
    said = capsys.readouterr().err
    assert "no QEMU" in said
    assert "without a network" in said


def test_a_socket_directory_is_noted_before_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(tmp_path))
    monkeypatch.setattr(qemu, "find", lambda: SimpleNamespace(binary=Path("/usr/bin/false")))
    monkeypatch.setattr(instances, "find", lambda _: None)
    made: list[str] = []

    def launch(*_: Any) -> Any:
        record = switch.load("vmnet1")
        assert record is not None
        made.append(record["socket_dir"])
        assert not made[0] or Path(made[0]).is_dir()
        raise OSError("cannot start")

    monkeypatch.setattr(keeper, "_launch", launch)
    with pytest.raises(OSError, match="cannot start"):
        keeper._start("vmnet1")
    switch.forget("vmnet1")
    assert made
    assert not made[0] or not Path(made[0]).exists()
