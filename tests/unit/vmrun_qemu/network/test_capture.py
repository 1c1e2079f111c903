"""The gateway's table of connections, and the services in its options."""

from __future__ import annotations

from pathlib import Path

import pytest
from needs import posix_paths

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.network import definitions
from harness.vmrun_qemu.network.capture import parse_connections

TABLE = """\
Hub 0 (gateway):
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
  TCP[HOST_FORWARD]   9       127.0.0.1 40001    192.168.6.10    22     0     0
  TCP[ESTABLISHED]   14    192.168.6.10 43210     192.168.6.1  5000     0     0
  UDP[239 sec]       15   192.168.80.10  4000    198.51.100.7    53     0     0
  ICMP[9 sec]        16   192.168.80.10     7    198.51.100.7     -     0     0
"""


def test_rows_are_read() -> None:
    rows = parse_connections(TABLE)
    assert [(row["protocol"], row["target"], row["target_port"]) for row in rows] == [
        ("TCP", "192.168.6.10", "22"),
        ("TCP", "192.168.6.1", "5000"),
        ("UDP", "198.51.100.7", "53"),
        ("ICMP", "198.51.100.7", "-"),
    ]


def test_a_row_that_cannot_be_read_is_never_taken_for_none() -> None:
    with pytest.raises(Failure, match="cannot be parsed"):
        parse_connections(TABLE + "  SCTP 198.51.100.7\n")


@posix_paths
def test_a_service_is_one_command_per_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(tmp_path))
    monkeypatch.setattr("sys.executable", "/opt/a, b/python")
    network = definitions.get("vmnet1")
    text = network.slirp([{"address": "192.168.6.1", "port": 5000, "host_port": 40000}])
    assert "restrict=on" in text
    assert "guestfwd=tcp:192.168.6.1:5000-cmd:'/opt/a,, b/python' -IS " in text
    script, port = text.rpartition(" -IS ")[2].split()
    assert (Path(script).name, Path(script).is_file(), port) == ("guestfwd.py", True, "40000")
