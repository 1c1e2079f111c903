"""Paths of this host as they compare, and the machines that run. Pure."""

from __future__ import annotations

from pathlib import Path

from harness.config.plan import MachinePlan
from harness.preflight.facts import HostFacts
from harness.vmrun.paths import path_identity


def comparable(path: Path | str, facts: HostFacts) -> str:
    """Return a path so that two names of one place are equal."""
    return path_identity(path, facts.platform).replace("\\", "/").rstrip("/")


def inside(path: str, directory: str) -> bool:
    """Return whether a comparable path lies below another one."""
    return path.startswith(directory + "/")


def runs(machine: MachinePlan, facts: HostFacts) -> bool:
    """Return whether `vmrun list` has the machine."""
    wanted = comparable(machine.files.vmx, facts)
    return any(comparable(vmx, facts) == wanted for vmx in facts.running.value or ())
