"""JSON lines over a socket: whole objects, damaged lines, deadlines."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from harness.vmrun_qemu.base.json_lines import LineStream


@pytest.fixture
def ends() -> Iterator[tuple[LineStream, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield LineStream(ours), theirs


def soon() -> float:
    return time.monotonic() + 5


def test_an_object_arrives_as_it_was_sent(ends: tuple[LineStream, socket.socket]) -> None:
    lines, other = ends
    lines.send({"a": [1, "ü"]}, soon(), before=b"\xff")
    other_lines = LineStream(other)
    assert other_lines.receive(soon()) == {"a": [1, "ü"]}


def test_a_line_may_arrive_in_pieces_and_two_at_once(ends: tuple[LineStream, socket.socket]) -> None:
    lines, other = ends
    other.sendall(b'{"a"')
    other.sendall(b': 1}\n{"b": 2}\n')
    assert [lines.receive(soon()), lines.receive(soon())] == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("line", [b"torn {\n", b"[1]\n", b"\n", b"12\n"])
def test_a_line_without_an_object_is_an_empty_one(ends: tuple[LineStream, socket.socket], line: bytes) -> None:
    lines, other = ends
    other.sendall(line)
    assert lines.receive(soon()) == {}


def test_a_closed_connection_has_no_next_object(ends: tuple[LineStream, socket.socket]) -> None:
    lines, other = ends
    other.sendall(b'{"half":')
    other.close()
    assert lines.receive(soon()) is None


def test_silence_ends_at_the_deadline(ends: tuple[LineStream, socket.socket]) -> None:
    lines, other = ends
    other.sendall(b'{"half":')
    with pytest.raises(TimeoutError):
        lines.receive(time.monotonic() + 0.05)
    with pytest.raises(TimeoutError):
        lines.send({}, time.monotonic() - 1)
