"""Start a daemon; report from the daemon whether it started.

The supervisor of a VM and the daemon of a virtual network are started by a command and outlive it. Each prints one JSON
line on standard output when it runs or has failed, and closes standard output: the command waits for that line.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from harness.vmrun_qemu.base import process
from harness.vmrun_qemu.base.messages import UNKNOWN


class StartReport(NamedTuple):
    """How a daemon started.

    `problem` is empty when it runs; `busy` when another one holds its lock.
    """

    problem: str = ""
    busy: bool = False


def start(module: str, arguments: Sequence[str], log: Path, *, timeout_s: float, grace_s: float) -> StartReport:
    """Start a module as a daemon; return its start report.

    A daemon that did not start has `grace_s` seconds to clean up, then it is killed.

    Args:
        module: The dotted name of the module.
        arguments: Its command line.
        log: The file to which its standard error is appended; its directory is the working directory.
        timeout_s: How long to wait for the report.
        grace_s: See above.

    Raises:
        OSError: It cannot be started.
    """
    with log.open("ab") as stream:
        child = process.start_detached(module, arguments, stream, log.parent)
    report = _parsed(process.first_line(child, timeout_s)) or StartReport(f"{UNKNOWN}: see {log}")
    if report.problem:
        process.end_soon(child, grace_s)
    return report


def report_start(report: StartReport) -> None:
    """Print the report for which the starter waits, then close its pipe."""
    try:
        sys.stdout.write(json.dumps(report._asdict()) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # the starter was killed; the daemon runs on
        pass
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def _parsed(line: str) -> StartReport | None:
    try:
        return StartReport(**json.loads(line))
    except (ValueError, TypeError):
        return None
