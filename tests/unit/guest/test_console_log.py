"""The copy of a console that the harness keeps: stamped, safe, bounded."""

from __future__ import annotations

from pathlib import Path

from harness.guest.console_log import ConsoleLog
from harness.guest.serial import SerialFollower


def test_every_line_from_byte_0_has_the_time_at_which_it_was_read(tmp_path: Path) -> None:
    now = [0.25]
    serial, copy = tmp_path / "serial-1.log", tmp_path / "run" / "serial-1.log"
    follower = SerialFollower(serial, "0" * 32, record=ConsoleLog(copy, lambda: now[0]).append)
    serial.write_bytes(b"SeaBIOS\r\n\r\nBooting\x1b[1m from\x1b[0m disk\n 10%\r 90%\rdone\nlogin: ")
    follower.poll()
    now[0] = 12.5
    with serial.open("ab") as file:
        file.write(b"ubuntu\nlast")
    follower.poll()
    follower.finish()
    assert copy.read_text(encoding="utf-8").splitlines() == [
        "[    0.250] SeaBIOS",
        "[    0.250] Booting from disk",
        "[    0.250]  10%",
        "[    0.250]  90%",
        "[    0.250] done",
        "[   12.500] login: ubuntu",
        "[   12.500] last",
    ]


def test_a_private_key_of_several_lines_is_masked_although_it_comes_in_pieces(tmp_path: Path) -> None:
    log = ConsoleLog(tmp_path / "log", lambda: 0.0)
    log.append(["before", "-----BEGIN RSA PRIVATE KEY-----", "MIIEow"])
    log.append(["canary", "-----END RSA PRIVATE KEY-----", "after"])
    text = (tmp_path / "log").read_text()
    assert "before" in text
    assert "after" in text
    assert "MIIEow" not in text
    assert "canary" not in text


def test_a_console_without_end_is_cut(tmp_path: Path) -> None:
    log = ConsoleLog(tmp_path / "log", lambda: 0.0, limit_bytes=100)
    for _ in range(50):
        log.append(["x" * 30])
    text = (tmp_path / "log").read_text()
    assert len(text) < 250
    assert text.endswith("[the rest is omitted: the console printed more than the limit of this file]\n")


def test_a_directory_that_cannot_be_written_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ConsoleLog(tmp_path / "file" / "log", lambda: 0.0).append(["x"])
