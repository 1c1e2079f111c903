"""Memory that is saved, with a QEMU that refuses."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import pytest
from fake_qmp import RefusedError, fake_qmp

from harness.vmrun_qemu.base.endpoint import Endpoint
from harness.vmrun_qemu.qemu import migration, qmp


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if isinstance(thread, migration._Receiver)}


def settled() -> bool:
    for thread in threads():
        thread.join(5)
    return not threads()


def test_a_refused_migration_leaves_no_thread_waiting() -> None:
    def refuse(*_: object) -> Any:
        threading.Event().wait(0.5)  # until the receiver waits in `accept`
        raise RefusedError("State blocked by the device")

    with fake_qmp(refuse) as qemu, pytest.raises(qmp.QmpError, match="blocked"):
        migration.save(qemu.address, "", io.BytesIO())
    assert settled()


def test_a_migration_that_takes_too_long_is_canceled() -> None:
    with (
        fake_qmp(lambda *_: {"status": "cancelled" if "migrate_cancel" in qemu.names else "active"}) as qemu,
        pytest.raises(qmp.QmpError, match="not saved"),
    ):
        migration.save(qemu.address, "", io.BytesIO(), timeout_s=0.1)
    assert "migrate_cancel" in qemu.names
    assert settled()


def test_the_stream_is_in_the_file_when_save_returns(tmp_path: Path) -> None:
    def migrate(name: str, arguments: dict[str, Any]) -> Any:
        if name == "migrate":
            with Endpoint(arguments["uri"].removeprefix("tcp:")).connect(5) as stream:
                stream.sendall(b"x" * 100_000)
        return {"status": "completed"}

    with fake_qmp(migrate) as qemu, (tmp_path / "state").open("wb") as stream:
        migration.save(qemu.address, "", stream)
    assert (tmp_path / "state").stat().st_size == 100_000
    assert settled()
