"""Memory that is saved, with a QEMU that refuses."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import pytest

from harness.vmrun_qemu.base import endpoint
from harness.vmrun_qemu.base.endpoint import Endpoint
from harness.vmrun_qemu.qemu import migration, qmp


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if isinstance(thread, migration._Receiver)}


def settled() -> bool:
    for thread in threads():
        thread.join(5)
    return not threads()


def test_a_refused_migration_leaves_no_thread_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        threading.Event().wait(0.5)  # until the receiver waits in `accept`
        raise qmp.QmpError("State blocked by the device")

    monkeypatch.setattr(qmp, "ask", refuse)
    with pytest.raises(qmp.QmpError, match="blocked"):
        migration.save("", "", io.BytesIO())
    assert settled()


def test_a_migration_that_takes_too_long_is_canceled(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(_address: str, *commands: tuple[str, Any], **_: Any) -> list[Any]:
        asked.extend(name for name, _ in commands)
        canceled = "migrate_cancel" in asked
        return [{"status": "cancelled" if canceled else "active"} for _ in commands]

    monkeypatch.setattr(qmp, "ask", ask)
    monkeypatch.setattr(migration, "_TIMEOUT_S", 0.1)
    with pytest.raises(qmp.QmpError, match="not saved"):
        migration.save("", "", io.BytesIO())
    assert "migrate_cancel" in asked
    assert settled()


def test_the_stream_is_in_the_file_when_save_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Endpoint] = []
    new = endpoint.new_endpoint

    def noted(socket_dir: str, name: str) -> Endpoint:
        made.append(new(socket_dir, name))
        return made[-1]

    def ask(_address: str, *commands: tuple[str, Any], **_: Any) -> list[Any]:
        if commands[-1][0] == "migrate":
            with made[0].connect(5) as stream:
                stream.sendall(b"x" * 100_000)
        return [{"status": "completed"} for _ in commands]

    monkeypatch.setattr(endpoint, "new_endpoint", noted)
    monkeypatch.setattr(qmp, "ask", ask)
    with (tmp_path / "state").open("wb") as stream:
        migration.save("", "", stream)
    assert (tmp_path / "state").stat().st_size == 100_000
    assert settled()
