"""Fixtures of the stand-ins, and the table of faults at the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter
from sessions.conftest import facts, fake_lab, seeds

__all__ = ["facts", "fake_lab", "seeds"]

TABLE = "reports/faults.md"
COLUMNS = ("fault", "expected", "seen", "seconds", "at most")


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Print the table of faults, and write it to `reports/faults.md`."""
    rows = [
        json.loads(str(value))
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "fault" and getattr(report, "when", "") == "call"
    ]
    if not rows:
        return
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    lines += [
        f"| {' | '.join(str(row[name]).replace('|', '/') for name in COLUMNS)} |" for row in sorted(rows, key=_key)
    ]
    path = Path(config.rootpath, TABLE)
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    terminalreporter.section(f"faults, also in {TABLE}")
    for line in lines:
        terminalreporter.write_line(line)


def _key(row: dict[str, object]) -> str:
    return str(row["fault"])
