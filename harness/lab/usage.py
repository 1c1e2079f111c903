"""What a session did with its machines, and their removal at its end."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import partial

from harness.core.best_effort import run_and_collect_error
from harness.machine.context import RunContext
from harness.machine.removal import Removal, remove_all, remove_rest
from harness.results import journal_events as payload


class MachineUse(StrEnum):
    """What a session did with a machine that it worked on."""

    BUILT = "built"  # some phase of it was done that an earlier run had not done
    REUSED = "reused"  # it was looked at, as an earlier run had left it


def destroy(context: RunContext, names: Sequence[str]) -> list[str]:
    """Remove these machines and, where none is left at all, what else the lab has here; return what stays, and why.

    Without a ledger that can be read nothing is removed: the environment phase tells. Never raises.
    """
    if run_and_collect_error("the ledger", context.ledger.read):
        return []
    removals: list[Removal] = []
    power_s = context.plan.spec.deadlines_s.power
    troubles = [
        *run_and_collect_error(
            "machines", lambda: removals.extend(remove_all(context.vmrun, context.ledger, names, power_s))
        )
    ]
    troubles += [str(removal) for removal in removals if removal.error is not None]
    for removal in removals:
        if removal.error is None:
            note = partial(context.journal.write, payload.NOTE, removal.machine, text=str(removal))
            troubles += run_and_collect_error("the journal", note)
    troubles += run_and_collect_error("what else the lab has here", lambda: remove_rest(context.vmrun, context.ledger))
    return [*troubles, *run_and_collect_error("the ledger", context.ledger.delete_scratch_file)]
