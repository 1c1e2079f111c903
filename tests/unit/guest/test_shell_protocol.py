"""Frames, read back from streams that are cut anywhere."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.guest.shell_protocol import FrameReader, frame, new_token

TOKEN = "0123456789abcdef" * 2


def mark(number: int, letter: str, value: str = "") -> bytes:
    return f"\x1e{TOKEN}:{number}:{letter}:{value}\x1e".encode()


@settings(deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200), st.integers(1, 50))
def test_an_answer_is_the_same_however_it_is_cut(out: bytes, err: bytes, size: int) -> None:
    reader = FrameReader(TOKEN, 3)
    stdout = b"old\n" + mark(3, "a", "4711") + out + mark(3, "z", "17")
    stderr = mark(3, "a") + err + mark(3, "z") + b"late"
    for begin in range(0, len(stdout), size):
        assert not reader.done
        reader.feed_stdout(stdout[begin : begin + size])
    for begin in range(0, len(stderr), size):
        reader.feed_stderr(stderr[begin : begin + size])
    assert reader.done
    assert (reader.exit_status, reader.shell_pid) == (17, 4711)
    assert reader.stdout == out
    assert reader.stderr[: len(err)] == err


def test_both_streams_have_to_be_complete() -> None:
    reader = FrameReader(TOKEN, 1)
    reader.feed_stdout(mark(1, "a", "1") + b"x" + mark(1, "z", "0"))
    assert not reader.done
    reader.feed_stderr(mark(1, "a") + mark(1, "z"))
    assert reader.done


def test_output_between_frames_is_dropped_and_other_frames_do_not_count() -> None:
    reader = FrameReader(TOKEN, 2)
    reader.feed_stdout(b"a job of before" + mark(1, "z", "9") + mark(2, "a", "5") + mark(1, "z", "9") + b"x")
    assert not reader.done
    assert reader.stdout == mark(1, "z", "9") + b"x"


def test_before_a_frame_begins_everything_is_shown() -> None:
    reader = FrameReader(TOKEN, 1)
    reader.feed_stderr(b"sh: cannot fork\n")
    assert reader.stderr == b"sh: cannot fork\n"
    assert reader.shell_pid is None
    assert reader.size == 16


def test_the_search_does_not_start_over_with_every_piece() -> None:
    reader = FrameReader(TOKEN, 1)
    reader.feed_stdout(mark(1, "a", "1"))
    for _ in range(1000):
        reader.feed_stdout(b"\x1e" * 100)
        assert reader._out.scanned == reader.size
    reader.feed_stdout(mark(1, "z", "0"))
    assert reader.stdout == b"\x1e" * 100_000


def test_tokens_differ_and_numbers_make_marks_differ() -> None:
    assert new_token() != new_token()
    assert len(new_token()) == 32
    assert b":1:z:" in frame(TOKEN, 1, "true", "")
    assert b"</dev/null" in frame(TOKEN, 1, "true", "")
    assert b"</dev/null" not in frame(TOKEN, 1, "true", "x")
