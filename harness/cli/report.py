"""`lab report`: the report of a run, written again."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import report_errors, reports_option, say
from harness.report.writer import latest_run, newest_run, write_index, write_reports


@click.command()
@click.argument("run_directory", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
@reports_option
@report_errors
def report(run_directory: Path | None, reports: Path) -> None:
    """Write the report of a run again from its journal.

    RUN_DIRECTORY is a directory below reports/, by default the newest. Also for a run that was killed: run.json and
    report.html are written from what its journal holds.
    """
    directory = run_directory or newest_run(reports).directory
    write_reports(directory.resolve())
    beside = directory.resolve().parent
    if latest_run(beside) is not None:  # a run's directory that was moved elsewhere gets no index beside it
        write_index(beside)
    say(str(directory / "report.html"))
