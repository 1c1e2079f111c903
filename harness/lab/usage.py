"""What a session did with its machines, and their removal at its end."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import partial

from harness.core.best_effort import attempt
from harness.machine.context import Host
from harness.machine.removal import Removal, remove_all, remove_rest
from harness.results import journal_events as payload


class Use(StrEnum):
    """What a session did with a machine that it worked on."""

    BUILT = "built"  # some phase of it was done that an earlier run had not done
    TAKEN = "taken"  # it was looked at, as an earlier run had left it


def destroy(host: Host, names: Sequence[str]) -> list[str]:
    """Remove these machines and, where none is left at all, what else the lab has here; return what stays, and why.

    Without a ledger that can be read nothing is removed: the environment phase tells. Never raises.
    """
    if attempt("the ledger", host.ledger.read):
        return []
    removals: list[Removal] = []
    power_s = host.plan.spec.deadlines_s.power
    troubles = [*attempt("machines", lambda: removals.extend(remove_all(host.vmrun, host.ledger, names, power_s)))]
    troubles += [str(removal) for removal in removals if removal.error is not None]
    for removal in removals:
        if removal.error is None:
            note = partial(host.journal.write, payload.NOTE, removal.machine, text=str(removal))
            troubles += attempt("the journal", note)
    troubles += attempt("what else the lab has here", lambda: remove_rest(host.vmrun, host.ledger))
    return [*troubles, *attempt("the ledger", host.ledger.settle)]
