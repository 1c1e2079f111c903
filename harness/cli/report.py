"""`lab report`: the report of a run, written again."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import report_errors, say
from harness.report.writer import write_reports


@click.command()
@click.argument("run_directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@report_errors
def report(run_directory: Path) -> None:
    """Write the report of a run again from its journal.

    RUN_DIRECTORY is a directory below reports/. Also for a run that was killed: run.json and report.html are written
    from what its journal holds.
    """
    write_reports(run_directory.resolve())
    say(str(run_directory / "report.html"))
