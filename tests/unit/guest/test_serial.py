"""Events of the serial line, and the follower of a growing file."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.guest.serial import GuestEvent, SerialFollower, format_event, parse_event

NONCE = "0a" * 16
OTHER = "ff" * 16
BOOT = "6f1d9f5e-5a52-4d51-9d5c-0d8f2a7c1b11"


class FakeClock:
    now = 12.5

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def event_line(event: str, nonce: str = NONCE, **fields: str) -> str:
    return format_event(event, nonce, BOOT, fields)


@pytest.fixture
def serial(tmp_path: Path) -> Path:
    return tmp_path / "serial.log"


@pytest.fixture
def follower(serial: Path) -> SerialFollower:
    return SerialFollower(serial, NONCE, FakeClock())


def append(path: Path, data: bytes | str) -> None:
    with path.open("ab") as file:
        file.write(data.encode() if isinstance(data, str) else data)


def test_the_form_of_a_line() -> None:
    line = f"@LAB1 {NONCE} {BOOT} copied files=12 bytes=3400 #103"
    assert parse_event(line) == GuestEvent("copied", NONCE, BOOT, {"files": "12", "bytes": "3400"})
    assert event_line("copied", files="12", bytes="3400") == line


def test_an_event_without_values_and_without_a_serial_number() -> None:
    line = f"@LAB1 - {BOOT} boot #"
    assert parse_event(f"{line}{len(line) - 1}") == GuestEvent("boot", "-", BOOT)


@settings(deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(max_size=20), max_size=4))
def test_values_come_back_as_they_were_given(fields: dict[str, str]) -> None:
    assert parse_event(format_event("x-y", NONCE, BOOT, fields)) == GuestEvent("x-y", NONCE, BOOT, fields)


@pytest.mark.parametrize(
    "line",
    [
        event_line("boot") + "\r",
        event_line("boot") + "  \r\n",
        f"[    3.1] usb 1-1: new dev{event_line('boot')}",
        f"\x1b[0;32m  OK  \x1b[0m{event_line('boot')}\x1b[K",
        f"@LAB1 torn {event_line('boot')}",
    ],
)
def test_text_around_an_event_is_ignored(line: str) -> None:
    event = parse_event(line)
    assert event is not None
    assert event.event == "boot"


@pytest.mark.parametrize(
    "line",
    [
        event_line("boot")[:-1],
        event_line("boot") + "0",
        event_line("boot").replace("boot ", "boo "),
        event_line("boot").replace(NONCE, NONCE[:-1]),
        event_line("boot").replace("boot", "bo[ 4.2] eth0 up\not"),
        event_line("copied", files="12").replace("files=12", "files=1"),
        event_line("copied", files="12").replace("files=12", "filesx12"),
        event_line("boot") + " trailing",
        event_line("boot").replace("@LAB1", "@LAB2"),
        "@LAB1 ",
        "",
        "login: ",
    ],
)
def test_a_torn_line_is_none(line: str) -> None:
    assert parse_event(line) is None


def test_every_single_missing_character_is_noticed() -> None:
    line = event_line("cloud-init", stage="final", seconds="17")
    for index in range(line.index("#")):
        assert parse_event(line[:index] + line[index + 1 :]) is None, index


def test_a_missing_file_has_no_events(follower: SerialFollower) -> None:
    assert follower.poll() == []
    assert follower.tail() == ""
    assert follower.last_line == ""


def test_events_come_once_in_order_with_the_time_of_reading(serial: Path, follower: SerialFollower) -> None:
    append(serial, f"SeaBIOS\r\n\r\n{event_line('boot')}\r\n{event_line('ssh-ready')}\r\n")
    assert [(e.event, e.at_s) for e in follower.poll()] == [("boot", 12.5), ("ssh-ready", 12.5)]
    assert follower.poll() == []
    append(serial, f"\n{event_line('boot-complete', cloud_init='done', seconds='99')}\n")
    assert [e.fields["cloud_init"] for e in follower.poll()] == ["done"]


@pytest.mark.parametrize("size", [1, 2, 7, 50])
def test_a_file_that_grows_in_pieces(serial: Path, follower: SerialFollower, size: int) -> None:
    data = f"\xe9한\r\n{event_line('boot')}\r\n{event_line('copied', reason='한 글')}\r\n".encode()
    events = []
    for begin in range(0, len(data), size):
        append(serial, data[begin : begin + size])
        events += follower.poll()
    assert [event.event for event in events] == ["boot", "copied"]
    assert follower.tail().startswith("\xe9한\n")


def test_an_unfinished_line_is_shown_and_is_no_event_yet(serial: Path, follower: SerialFollower) -> None:
    append(serial, f"first\n{event_line('boot')}")
    assert follower.poll() == []
    assert follower.last_line == event_line("boot")
    append(serial, "\n")
    assert [event.event for event in follower.poll()] == ["boot"]


def test_foreign_events_are_counted_and_not_believed(serial: Path, follower: SerialFollower) -> None:
    append(
        serial,
        "\n".join(
            [
                event_line("boot-complete", OTHER),
                event_line("boot", "-"),
                event_line("boot", OTHER),
                event_line("boot"),
                "",
            ]
        ),
    )
    assert [event.event for event in follower.poll()] == ["boot"]
    assert dict(follower.foreign) == {OTHER: 2, "-": 1}


def test_a_torn_event_is_none(serial: Path, follower: SerialFollower) -> None:
    append(serial, event_line("boot")[:40] + "[ 1.0] kernel\n" + event_line("boot") + "\n")
    assert len(follower.poll()) == 1


def test_a_file_that_became_shorter_is_read_anew(serial: Path, follower: SerialFollower) -> None:
    append(serial, f"{event_line('boot')}\n" + "x" * 300 + "\nunfinished")
    assert len(follower.poll()) == 1
    serial.write_text(f"{event_line('ssh-ready')}\n")
    assert [event.event for event in follower.poll()] == ["ssh-ready"]
    assert "unfinished" not in follower.last_line


def test_the_tail_is_printable(serial: Path, follower: SerialFollower) -> None:
    append(serial, b"\x1b[2J\x1b[01;01H[\x1b[32m OK \x1b[0m] Started \x07ssh\xff.\r\n\n\x1b]0;title\x07login: \x00")
    follower.poll()
    assert follower.tail() == "[ OK ] Started ssh\ufffd.\nlogin:"
    assert follower.tail(1) == follower.last_line == "login:"
    assert follower.tail(0) == ""


def test_a_progress_bar_shows_its_last_state(serial: Path, follower: SerialFollower) -> None:
    append(serial, "copy 10%\rcopy 60%\rcopy 100%\r\nnext 1%\rnext 2%")
    follower.poll()
    assert follower.tail() == "copy 100%\nnext 2%"


def test_memory_has_a_bound(serial: Path, follower: SerialFollower) -> None:
    append(serial, b"x" * 200_000 + f"\n{event_line('boot')}\n".encode() + b"y\n" * 5000)
    assert len(follower.poll()) == 1
    assert len(follower.tail(10_000).splitlines()) == 400
    for _ in range(3):
        append(serial, b"z" * 100_000)
        follower.poll()
        assert len(follower.last_line) <= 100_000
    append(serial, f"\n{event_line('boot')}\n")
    assert len(follower.poll()) == 1


def test_a_console_without_end_takes_little_memory_and_keeps_its_events(serial: Path, follower: SerialFollower) -> None:
    append(serial, f"{event_line('boot')}\n" + "middle\n" * 100)
    os.truncate(serial, 1 << 28)
    append(serial, f"\n{event_line('ssh-ready')}\nlast\n")
    tracemalloc.start()
    try:
        events = follower.poll()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [event.event for event in events] == ["boot", "ssh-ready"]
    assert follower.last_line == "last"
    assert peak < 16 << 20


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_raise(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.log"
    path.write_bytes(data)
    follower = SerialFollower(path, NONCE)
    follower.poll()
    follower.tail().encode("utf-8")
