"""The `lab` command: everything beside `pytest scenarios/`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click

from harness.core.errors import HarnessError, UsageError
from harness.core.files import host_error_from
from harness.system.stdio import use_utf8_output

P = ParamSpec("P")
DEFAULT_LAB = Path("scenarios/lab.yaml")


def say(text: str) -> None:
    """Write a line for a person."""
    click.echo(text)


def told(function: Callable[P, None]) -> Callable[P, None]:
    """Return the command with errors told as one text; exit code 4 for wrong input, as pytest's, and 1 otherwise."""

    @wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except (HarnessError, OSError, ValueError) as error:
            known = error if isinstance(error, HarnessError) else host_error_from(error)
            if known is None:
                raise
            click.echo(f"ERROR: {known}", err=True)
            sys.exit(4 if isinstance(known, UsageError) else 1)

    return inner


lab_option = click.option("--lab", "lab_file", type=click.Path(path_type=Path), default=DEFAULT_LAB, show_default=True)
overlay_option = click.option("--overlay", help="Overlay of the lab file (default: `embedded` where VMware is not).")
vmrun_option = click.option("--vmrun", help="vmrun executable, or `embedded`.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="airgap-lab-harness")
def main() -> None:
    """Build and verify an air-gapped k3s lab: `pytest scenarios/`. These commands are for the time before and after."""
    use_utf8_output()


@main.command()
@click.option("--with-deps", is_flag=True, help="Install missing system packages with the package manager first.")
@click.option("--packages-only", is_flag=True, help="Leave it at the system packages: no guest image, no seeds.")
@lab_option
@overlay_option
@told
def setup(lab_file: Path, overlay: str | None, with_deps: bool, packages_only: bool) -> None:  # noqa: FBT001  (click)
    """Prepare this host for the embedded hypervisor: packages, guest image, seeds."""
    from harness.airgap.registry_package import ensure_registry
    from harness.cli import seed as seeding
    from harness.cli.host_packages import ensure_packages, install_command, missing_packages
    from harness.config.loader import load_embedded
    from harness.core.layout import cache_directory

    spec = load_embedded(lab_file, overlay, platform=sys.platform)
    if with_deps:
        ensure_packages(say)
        ensure_registry(cache_directory(), say)
    missing = missing_packages()
    if missing:
        raise HarnessError(
            f"system packages are missing: {', '.join(missing)}",
            remedy=f"lab setup --with-deps, or: {' '.join(install_command(missing))}",
        )
    if not packages_only:
        seeding.build(spec, lab_file, say)


@main.command()
@lab_option
@overlay_option
@told
def seed(lab_file: Path, overlay: str | None) -> None:
    """Build the seed ISOs of the embedded lab; what is up to date is kept."""
    from harness.cli import seed as seeding
    from harness.config.loader import load_embedded

    seeding.build(load_embedded(lab_file, overlay, platform=sys.platform), lab_file, say)


@main.command()
@lab_option
@overlay_option
@vmrun_option
@told
def plan(lab_file: Path, overlay: str | None, vmrun: str | None) -> None:
    """Print everything that would be created; change nothing."""
    from harness.cli.render import plan_text
    from harness.lab.selection import select

    selection = select(lab_file, vmrun=vmrun, overlay=overlay)
    say(plan_text(selection, selection.plan("<run>")))


@main.command()
@lab_option
@overlay_option
@vmrun_option
@told
def doctor(lab_file: Path, overlay: str | None, vmrun: str | None) -> None:
    """Show which vmrun is taken and why, and judge the host as the environment phase does."""
    from harness.cli.doctor import examine
    from harness.cli.render import candidates_text, checks_text
    from harness.lab.selection import lock, select

    selection = select(lab_file, vmrun=vmrun, overlay=overlay)
    say(candidates_text(selection.hypervisor))
    with lock(selection, say):
        checks = examine(selection)
    say(checks_text(checks))
    if any(check.status.stops for check in checks):
        sys.exit(1)


@main.command()
@lab_option
@overlay_option
@vmrun_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@told
def status(lab_file: Path, overlay: str | None, vmrun: str | None, as_json: bool) -> None:  # noqa: FBT001  (click)
    """Show what this lab has here: machines, since when, whose, how big, until when, how to log in."""
    import json

    from harness.cli import status as now
    from harness.lab.selection import select

    found = now.look(select(lab_file, vmrun=vmrun, overlay=overlay))
    say(json.dumps(now.as_json(found), indent=2) if as_json else "\n".join(now.as_text(found)))


@main.command()
@lab_option
@overlay_option
@vmrun_option
@told
def tools(lab_file: Path, overlay: str | None, vmrun: str | None) -> None:
    """Show what VMware Tools say of each machine; with `tools` in the lab file, whether guest operations work."""
    from harness.cli.down import tools_of_machines
    from harness.lab.selection import select

    for line in tools_of_machines(select(lab_file, vmrun=vmrun, overlay=overlay)):
        say(line)


@main.command()
@lab_option
@overlay_option
@vmrun_option
@click.option("--expired", is_flag=True, help="Only if the time is over for which the lab is kept.")
@told
def down(lab_file: Path, overlay: str | None, vmrun: str | None, expired: bool) -> None:  # noqa: FBT001  (click)
    """Stop and remove what this lab has here, by its ledger; nothing else is touched."""
    from harness.cli.down import remove_lab
    from harness.lab.selection import lock, select

    selection = select(lab_file, vmrun=vmrun, overlay=overlay)
    with lock(selection, say):
        remove_lab(selection, say, only_expired=expired)


@main.command(context_settings={"allow_interspersed_args": False})
@click.argument("machine")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--reports", type=click.Path(path_type=Path), default=Path("reports"), show_default=True)
@told
def ssh(machine: str, command: tuple[str, ...], reports: Path) -> None:
    """Log in to a machine of the newest run with the system's ssh; options stand before MACHINE, the rest is ssh's."""
    from harness.cli.down import newest_run
    from harness.system.process import run_in_terminal

    sys.exit(run_in_terminal(["ssh", "-F", str(newest_run(reports).ssh_config), machine, *command]))


@main.command()
@click.argument("run_directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@told
def report(run_directory: Path) -> None:
    """Write run.json and report.html again from a run's journal, as after a crash."""
    from harness.report.writer import write_reports

    write_reports(run_directory.resolve())
    say(str(run_directory / "report.html"))


@main.command()
@told
def schema() -> None:
    """Print the JSON Schema of a lab file."""
    from harness.config import lab_schema

    click.echo(lab_schema(), nl=False)
