"""The lab and the hypervisor that the options of a subcommand lead to."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path

from harness.cli.options import lab_option, overlay_option, port, vmrun_option
from harness.lab.selection import select


def selection_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--lab`, `--overlay` and `--vmrun` to a command.

    It is called with the `Selection` in their place.
    """

    @lab_option
    @overlay_option
    @vmrun_option
    @wraps(function)
    def inner(*, lab_file: Path, overlay: str | None, vmrun: str | None, **others: object) -> None:
        function(port(select)(lab_file, vmrun=vmrun, overlay=overlay), **others)

    return inner
