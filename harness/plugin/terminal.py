"""Write lines to the terminal, past pytest's capture."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

import pytest
from _pytest.terminal import TerminalReporter


def write_early(line: str) -> None:
    """Write a line before pytest has its terminal reporter."""
    sys.stderr.write(f"lab: {line}\n")


def writer(config: pytest.Config, reporter: TerminalReporter | None) -> Callable[[str], None]:
    """Return a function that writes a line to the terminal past pytest's capture."""
    capture = config.pluginmanager.get_plugin("capturemanager")

    def write(line: str) -> None:
        if reporter is None:
            return
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            reporter.ensure_newline()
            reporter.write_line(line)
            reporter.flush()

    return write
