"""The phases, one module each, and every check that a lab declares.

A phase module is named like its member of `Phase`. It has `PHASE`, `CHECKS` (its checks, in the order in which they are
answered) and `run(machine, limits)`, a generator that acts, observes and yields one `Check` after the other. What it
decides is in pure functions beside it.

Entry: `MACHINE_PHASES`, `declared_checks`, `harness.phases.runner.run_phase`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, cast

from harness.cluster.checks import ALL as CLUSTER_CHECKS
from harness.config.model import DeadlinesSpec
from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim
from harness.core.verdict import Phase
from harness.preflight.checks import check_names

if TYPE_CHECKING:
    from harness.phases.runner import PhaseModule

# The phases of the host, of the tests of the guests, and of the whole lab: no machine works through them by itself.
_NOT_OF_A_MACHINE = (Phase.ENVIRONMENT, Phase.GUESTS, Phase.CLUSTER)
# What these saw can be looked at again on the same machine, so a later run does not carry it over.
_LOOKED_AT_AGAIN = (Phase.AIR_GAP,)


def _module(phase: Phase) -> PhaseModule:
    """Import the module of the phase's name; `Phase` is the only registration."""
    return cast("PhaseModule", import_module(f"{__name__}.{phase.name.lower()}"))


MACHINE_PHASES: tuple[PhaseModule, ...] = tuple(_module(phase) for phase in Phase if phase not in _NOT_OF_A_MACHINE)
CARRIED_PHASES = tuple(module.PHASE for module in MACHINE_PHASES if module.PHASE not in _LOOKED_AT_AGAIN)


def phase_limits(deadlines: DeadlinesSpec) -> dict[Phase, float]:
    """Return the seconds that each phase with a deadline may take.

    They are per machine.
    """
    cycle = float(deadlines.power + deadlines.restart)
    return {
        Phase.CLEANUP: float(deadlines.power),
        Phase.BOOT: float(deadlines.boot),
        Phase.ISO_COPY: float(deadlines.iso_copy),
        Phase.CLOUD_INIT: float(deadlines.cloud_init),
        Phase.PACKAGES: float(deadlines.packages),
        Phase.ISO_DETACHED: cycle,
        Phase.RESTARTS: 2 * cycle,
        Phase.CLUSTER: float(deadlines.cluster),
    }


def environment_checks(machines: Sequence[str]) -> tuple[CheckSpec, ...]:
    """Return the checks of the host that is to carry these machines."""
    return tuple(
        CheckSpec(Phase.ENVIRONMENT, name, (Claim.BUILT,), "a host that can carry the lab")
        for name in check_names(machines)
    )


def guest_check(name: str, claims: Sequence[Claim] = ()) -> CheckSpec:
    """Declare a test of the guests; without claims it counts for the settings."""
    return CheckSpec(Phase.GUESTS, name, tuple(claims) or (Claim.SETTINGS,), "as the lab file promises")


def declared_checks(machines: Sequence[str]) -> tuple[CheckSpec, ...]:
    """Return every check of a lab in order, except the tests of the guests."""
    phases = (check for module in MACHINE_PHASES for check in module.CHECKS)
    return (*environment_checks(machines), *phases, *CLUSTER_CHECKS)


__all__ = [
    "CARRIED_PHASES",
    "MACHINE_PHASES",
    "declared_checks",
    "environment_checks",
    "guest_check",
    "phase_limits",
]
