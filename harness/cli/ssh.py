"""`lab ssh`: a login to a VM by the system's ssh."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.cli.options import port, report_errors
from harness.report.writer import newest_run
from harness.system.process import run_in_terminal


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("machine")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--reports",
    type=click.Path(path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="The directory of the results.",
)
@report_errors
def ssh(machine: str, command: tuple[str, ...], reports: Path) -> None:
    """Log in to a VM of the newest run.

    Runs the system's ssh with the SSH configuration of that run. Everything behind MACHINE is passed to ssh.
    """
    sys.exit(port(run_in_terminal)(["ssh", "-F", str(newest_run(reports).ssh_config), machine, *command]))
