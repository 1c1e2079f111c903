"""`lab ssh`: a login to a VM by the system's ssh."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.cli.built_lab import ssh_hosts
from harness.cli.options import port, report_errors, reports_option
from harness.core.errors import UsageError
from harness.report.writer import newest_run
from harness.system.process import run_in_terminal


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("machine")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@reports_option
@report_errors
def ssh(machine: str, command: tuple[str, ...], reports: Path) -> None:
    """Log in to a VM of the newest run.

    Runs the system's ssh with the SSH configuration of that run. Everything behind MACHINE is passed to ssh.
    """
    files = newest_run(reports)
    names = [host.name for host in ssh_hosts(files)]
    if machine not in names:
        raise UsageError(f"the newest run left no VM {machine}", remedy=f"give one of: {', '.join(names)}")
    sys.exit(port(run_in_terminal)(["ssh", "-F", str(files.ssh_config), machine, *command]))
