"""startRecord, stopRecord, listConnections, with a fake gateway."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_qmp import FakeQmp, fake_qmp

from harness.system.process_identity import identity
from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.commands import capture
from harness.vmrun_qemu.network import switch

TABLE = """\
Hub 0 (gateway):
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
  TCP[ESTABLISHED]   14    192.168.6.10 43210     192.168.6.1  5000     0     0
"""


def answer(name: str, _arguments: dict[str, Any]) -> Any:
    return TABLE if name == "human-monitor-command" else {}


@pytest.fixture
def gateway() -> Iterator[FakeQmp]:
    """The gateway of a network that is up."""
    me = identity(os.getpid())
    home.net_dir("vmnet1")
    with fake_qmp(answer) as qemu:
        switch.save("vmnet1", {"daemon": me, "qemu": me, "qmp": qemu.address, "socket_dir": "", "subnet": ""})
        yield qemu


def test_a_record_starts_in_the_gateway_and_stops(gateway: FakeQmp, tmp_path: Path) -> None:
    assert capture.start_record(["vmnet1", str(tmp_path)], {}) == 0
    name, arguments = gateway.commands[-1]
    assert (name, arguments["file"]) == ("object-add", str(tmp_path / "vmnet1-1.pcap"))
    assert capture.stop_record(["vmnet1"], {}) == 0
    assert gateway.names[-1] == "object-del"


def test_a_record_needs_its_directory(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="A file was not found"):
        capture.start_record(["vmnet1", str(tmp_path / "none")], {})


def test_connections_are_printed_as_json(gateway: FakeQmp, capsys: pytest.CaptureFixture[str]) -> None:
    assert capture.list_connections(["vmnet1"], {}) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["protocol"], row["source"], row["target_port"]) == ("TCP", "192.168.6.10", "5000")
    assert gateway.commands == [("human-monitor-command", {"command-line": "info usernet"})]


def test_a_network_that_is_down_has_no_connections(capsys: pytest.CaptureFixture[str]) -> None:
    assert capture.list_connections(["vmnet1"], {}) == 0
    assert json.loads(capsys.readouterr().out) == []
