"""The options that a lab adds to pytest."""

from __future__ import annotations

from pathlib import Path

import pytest

# The values of `Keep` and `ResumeMode`. Their modules are not imported here: other projects of the environment add
# these options too, and the import takes half a second.
KEEP = ("always", "on-failure", "never")
CONVERGE, RESUME, REUSE, FRESH = "converge", "resume", "reuse", "fresh"


def add_options(parser: pytest.Parser) -> None:
    """Add the options of a lab, in a group of their own."""
    group = parser.getgroup("lab", "air-gapped lab")
    group.addoption("--lab", type=Path, metavar="FILE", help="lab file (default: lab.yaml beside the scenarios)")
    group.addoption(
        "--overlay",
        metavar="NAME",
        help="overlay of the lab file, or several with commas between (default: `embedded`, and `k3s` with k3s in the "
        "payload, where the embedded hypervisor runs the lab)",
    )
    group.addoption("--vmrun", metavar="PATH", help="the vmrun program, or `embedded` (default: search)")
    group.addoption(
        "--keep",
        choices=KEEP,
        help="whether machines are kept after the run (default: lab file)",
    )
    group.addoption(
        "--resume",
        dest="again",
        action="store_const",
        const=RESUME,
        default=CONVERGE,
        help="continue the machines of a run that was interrupted",
    )
    group.addoption(
        "--reuse",
        dest="again",
        action="store_const",
        const=REUSE,
        help="build nothing: check a finished lab",
    )
    group.addoption(
        "--fresh",
        dest="again",
        action="store_const",
        const=FRESH,
        help="build all machines again, finished ones too",
    )
    group.addoption("--reports", type=Path, metavar="DIR", help="directory of the results (default: reports/)")
