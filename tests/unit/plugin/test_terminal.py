"""Nothing that others wrote acts on the terminal."""

from __future__ import annotations

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
