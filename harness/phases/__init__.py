"""The phases of one machine, one module each.

A phase module has `PHASE`, `CHECKS` (the names of its checks, in the order in which they are answered) and
`run(machine)`, a generator that acts, observes and yields one `Check` after the other. What it decides is in pure
functions beside it. A new phase is one such module and one line in `MACHINE_PHASES`.
"""

from __future__ import annotations

from harness.phases import air_gap, boot, cleanup, cloud_init, creation, iso_copy, iso_detached, packages, restarts
from harness.phases.runner import PhaseModule

MACHINE_PHASES: tuple[PhaseModule, ...] = (
    cleanup,
    creation,
    boot,
    iso_copy,
    cloud_init,
    packages,
    iso_detached,
    restarts,
    air_gap,
)
# A later run may carry over what these saw: it cannot be seen again on the same machine. The air gap can.
CARRIED_PHASES = tuple(module.PHASE for module in MACHINE_PHASES if module is not air_gap)
# How often a machine is switched on: once to install itself, once without its ISO, twice after a power cut.
POWER_ONS = 4

__all__ = ["CARRIED_PHASES", "MACHINE_PHASES", "POWER_ONS", "PhaseModule"]
