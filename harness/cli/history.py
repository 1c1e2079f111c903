"""`lab history`: the runs below the reports directory."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import report_errors, reports_option, say
from harness.core.errors import UsageError
from harness.report import symbols
from harness.results.history import PastRun, past_runs


@click.command()
@reports_option
@click.option("--last", type=click.IntRange(min=1), default=20, show_default=True, help="How many runs.")
@report_errors
def history(reports: Path, last: int) -> None:
    """Show the last runs: verdict, duration, required claims proven.

    The newest is first. `index.html` in the directory of the results shows the same with links to the reports.
    """
    runs = past_runs(reports, last)
    if not runs:
        raise UsageError("no run in this directory", where=str(reports), remedy="run `pytest scenarios/`")
    for run in runs:
        say(_line(run))


def _line(run: PastRun) -> str:
    word = run.overall.value if run.overall else "unreadable"
    took = symbols.duration(run.duration_s) if run.overall else ""
    return f"{run.run_id:<24}  {word:<16}  {took:>12}  {run.claims:>7}  {run.lab}: {run.headline}"
