"""The gateway's table of connections."""

from __future__ import annotations

import pytest

from harness.vmrun_qemu.base.messages import Failure
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
