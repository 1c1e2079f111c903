"""Nothing that others wrote acts on the terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.plugin.terminal import usage_error, write_early, write_section, writer

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[32mPASS\x9b1A\rover\u202eward\x08\x00"
SHOWN = "PASS\ufffd1A\nover\ufffdward\ufffd\ufffd"


class FakeReporter:
    """pytest's terminal reporter; keeps what is written."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def section(self, title: str) -> None:
        pass

    def write_line(self, line: str) -> None:
        self.lines.append(line)

    def ensure_newline(self) -> None:
        pass

    def flush(self) -> None:
        pass


def test_every_way_to_the_terminal_writes_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    reporter: Any = FakeReporter()
    manager = SimpleNamespace(get_plugin=lambda name: None)
    writer(cast(pytest.Config, SimpleNamespace(pluginmanager=manager)), reporter)(HOSTILE)
    write_section(reporter, "lab", [HOSTILE])
    assert reporter.lines == [SHOWN, SHOWN]
    write_early(HOSTILE)
    assert capsys.readouterr().err == f"lab: {SHOWN}\n"
    assert str(usage_error(HOSTILE)) == SHOWN


class RecordingReporter:
    """Records the calls of pytest's terminal reporter, and those of the capture around them."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def ensure_newline(self) -> None:
        self.calls.append("newline")

    def write_line(self, line: str) -> None:
        self.calls.append(line)

    def flush(self) -> None:
        self.calls.append("flush")

    @contextlib.contextmanager
    def global_and_fixture_disabled(self) -> Iterator[None]:
        self.calls.append("capture off")
        yield
        self.calls.append("capture on")


def config_with(capture: object) -> Any:
    plugins = {"capturemanager": capture}
    return SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin=plugins.get))


def test_a_line_passes_the_capture_at_once() -> None:
    reporter: Any = RecordingReporter()
    writer(config_with(reporter), reporter)("hello")
    assert reporter.calls == ["capture off", "newline", "hello", "flush", "capture on"]


def test_a_line_is_written_without_a_capture() -> None:
    reporter: Any = RecordingReporter()
    writer(config_with(None), reporter)("hello")
    assert reporter.calls == ["newline", "hello", "flush"]


def test_without_a_reporter_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    writer(config_with(None), None)("hello")
    assert capsys.readouterr() == ("", "")


def test_an_early_line_goes_to_the_error_output(capsys: pytest.CaptureFixture[str]) -> None:
    write_early("another session has the lab")
    assert capsys.readouterr() == ("", "lab: another session has the lab\n")
