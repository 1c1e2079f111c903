"""The plugin's only way to the terminal.

Text of guests, files and programs is in every line: each is made plain here, so that none acts on the terminal.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable

import pytest
from _pytest.terminal import TerminalReporter

from harness.results.plain_text import plain


def write_early(line: str) -> None:
    """Write a line before pytest has its terminal reporter."""
    sys.stderr.write(f"lab: {plain(line)}\n")


def writer(config: pytest.Config, reporter: TerminalReporter | None) -> Callable[[str], None]:
    """Return a function that writes a line to the terminal past pytest's capture."""
    capture = config.pluginmanager.get_plugin("capturemanager")

    def write(line: str) -> None:
        if reporter is None:
            return
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            reporter.ensure_newline()
            reporter.write_line(plain(line))
            reporter.flush()

    return write


def write_section(reporter: TerminalReporter, title: str, lines: Iterable[str]) -> None:
    """Write a section of pytest's summary."""
    reporter.section(title)
    for line in lines:
        reporter.write_line(plain(line))


def usage_error(error: object) -> pytest.UsageError:
    """Return the error that ends pytest with exit code 4 and this text."""
    return pytest.UsageError(plain(str(error)))
