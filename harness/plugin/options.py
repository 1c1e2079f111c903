"""The options that a lab adds to pytest."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config.model import Keep
from harness.lab.resume.decision import ResumeMode


def add_options(parser: pytest.Parser) -> None:
    """Add the options of a lab, in a group of their own."""
    group = parser.getgroup("lab", "air-gapped lab")
    group.addoption("--lab", type=Path, metavar="FILE", help="lab file (default: lab.yaml beside the scenarios)")
    group.addoption(
        "--overlay", metavar="NAME", help="overlay of the lab file (default: `embedded` with the embedded hypervisor)"
    )
    group.addoption("--vmrun", metavar="PATH", help="the vmrun program, or `embedded` (default: search)")
    group.addoption(
        "--keep",
        choices=[keep.value for keep in Keep],
        help="whether machines are kept after the run (default: lab file)",
    )
    group.addoption(
        "--resume",
        dest="again",
        action="store_const",
        const=ResumeMode.RESUME,
        default=ResumeMode.CONVERGE,
        help="continue the machines of a run that was interrupted",
    )
    group.addoption(
        "--reuse",
        dest="again",
        action="store_const",
        const=ResumeMode.REUSE,
        help="build nothing: check a finished lab",
    )
    group.addoption(
        "--fresh",
        dest="again",
        action="store_const",
        const=ResumeMode.FRESH,
        help="build all machines again, finished ones too",
    )
    group.addoption("--reports", type=Path, metavar="DIR", help="directory of the results (default: reports/)")
