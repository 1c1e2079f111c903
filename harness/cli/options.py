"""Options, output and error reporting that the subcommands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import click

from harness.core.errors import HarnessError, UsageError
from harness.core.files import host_error_from
from harness.results.plain_text import plain

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., object])
DEFAULT_LAB = Path("scenarios/lab.yaml")

lab_option = click.option(
    "--lab",
    "lab_file",
    type=click.Path(path_type=Path),
    default=DEFAULT_LAB,
    show_default=True,
    help="The lab file.",
)
overlay_option = click.option(
    "--overlay",
    metavar="NAME",
    help="Overlay of the lab file, or several with commas between.  [default: `embedded`, and `k3s` with k3s in the "
    "payload, where the embedded hypervisor runs the lab]",
)
reports_option = click.option(
    "--reports",
    type=click.Path(path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="The directory of the results.",
)
vmrun_option = click.option("--vmrun", metavar="PATH", help="The vmrun program, or `embedded`.  [default: search]")


def say(text: str) -> None:
    """Write text to standard output: the only way there.

    It is made plain, because text of guests, files and programs is in it.
    """
    click.echo(plain(text))


def report_errors(function: Callable[P, None]) -> Callable[P, None]:
    """Return the command with its errors written to standard error.

    The exit code is 4 for wrong input, as pytest's, and 1 for other errors. A defect keeps its traceback.
    """

    @wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except (HarnessError, OSError, ValueError) as error:
            known = error if isinstance(error, HarnessError) else host_error_from(error)
            if known is None:
                raise
            click.echo(plain(f"ERROR: {known}"), err=True)
            sys.exit(4 if isinstance(known, UsageError) else 1)

    return inner


def port(function: F) -> F:
    """Return the caller's replacement of a function, else the function itself.

    The click context's `obj` maps functions to their replacements. Tests give it: `CliRunner().invoke(main, …, obj=…)`.
    """
    replacements = click.get_current_context().obj or {}
    return cast("F", replacements.get(function, function))
