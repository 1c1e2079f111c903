"""Decide whether a machine of an earlier run is continued. Pure.

The earlier journal and what is observed now decide.

A phase is carried over when it passed (or could not be proven, and then still is not), everything before it is carried
over, and what it rests on still holds: the machine is the one that the earlier run made, of the same inputs, and is on
the same boot where that matters. Anything else starts the
machine over, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from harness.core.verdict import Phase, Verdict


class ResumeMode(StrEnum):
    """What a run does with the machines of an earlier run."""

    CONVERGE = "converge"  # takes finished ones as they are, and starts the others over
    FRESH = "fresh"  # removes them
    RESUME = "resume"  # goes on where they are, and starts over what cannot go on
    REUSE = "reuse"  # takes finished ones as they are, and touches no other


@dataclass(frozen=True)
class RecordedMachine:
    """A machine as the newest journal that has it records it.

    Attributes:
        run_id: That run.
        made_by: The run that created the machine: the same, or an earlier one that it continued.
        inputs: Digests of what the machine is made of, by name.
        verdicts: Of its phases, in their order.
        begun: The phase that began and has no verdict.
        boot_id: The latest boot that was logged into.
        installation: What identifies its installation, by name; empty where no phase asked for it.
    """

    run_id: str
    made_by: str
    inputs: Mapping[str, str]
    verdicts: tuple[Verdict, ...] = ()
    begun: Phase | None = None
    boot_id: str = ""
    installation: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ObservedMachine:
    """A machine as it is observed now.

    Attributes:
        made_by: The run that the ledger names; empty where it is not in the ledger.
        inputs: As in `RecordedMachine`.
        problem: Why its directory, disk or VMX are not as the earlier run left them; empty where they are.
        running: Whether `vmrun list` has it.
        started: Whether it was ever powered on.
        attached: Whether its VMX has the ISO in the drive at the next start.
    """

    made_by: str
    inputs: Mapping[str, str]
    problem: str = ""
    running: bool = False
    started: bool = False
    attached: bool = False


@dataclass(frozen=True)
class Decision:
    """Whether a machine is continued.

    Attributes:
        carried: The verdicts that are carried over, from the first phase on; none where it starts over.
        why: Why it starts over, or where it continues.
        boot_id: The boot that it has to be on; empty where any boot will do.
        installation: What it has to report, as in `RecordedMachine`.
    """

    carried: tuple[Verdict, ...]
    why: str
    boot_id: str = ""
    installation: Mapping[str, str] = field(default_factory=dict)

    @property
    def last(self) -> Phase | None:
        """The last phase that is carried over."""
        return self.carried[-1].phase if self.carried else None

    def missing(self, phases: Sequence[Phase]) -> tuple[Phase, ...]:
        """Return those of the phases that are not carried over."""
        return tuple(phase for phase in phases if self.verdict(phase) is None)

    def verdict(self, phase: Phase) -> Verdict | None:
        """Return the carried verdict of that phase, or None."""
        return next((verdict for verdict in self.carried if verdict.phase is phase), None)


def start_over(why: str) -> Decision:
    """Return the decision to start a machine over."""
    return Decision((), why)


def decide(recorded: RecordedMachine | None, now: ObservedMachine, phases: Sequence[Phase]) -> Decision:
    """Decide whether a machine is continued.

    Args:
        recorded: The machine in the newest journal that has it; None where no journal has it.
        now: The machine as it is observed.
        phases: The phases of one machine, in their order.
    """
    if recorded is None:
        return start_over("no earlier run has it")
    obstacle = _not_the_same(recorded, now) or _went_wrong(recorded, phases)
    if obstacle:
        return start_over(obstacle)
    carried = _carried(recorded, phases)
    last = carried[-1].phase if carried else None
    if last is None or last.number < Phase.CREATION.number:
        return start_over(f"run {recorded.run_id} had not created it")
    return _by_power(recorded, now, carried)


def _not_the_same(recorded: RecordedMachine, now: ObservedMachine) -> str:
    """Return why it is another machine than before, or an empty text."""
    if not now.made_by:
        return f"it is gone: the ledger no longer has the machine of run {recorded.run_id}"
    if now.made_by != recorded.made_by:
        return f"run {now.made_by} created it, not run {recorded.made_by} as run {recorded.run_id} recorded"
    if now.problem:
        return now.problem
    names = sorted({*recorded.inputs, *now.inputs})
    changed = [name for name in names if recorded.inputs.get(name) != now.inputs.get(name)]
    return f"changed since run {recorded.run_id}: {', '.join(changed)}" if changed else ""


def _went_wrong(recorded: RecordedMachine, phases: Sequence[Phase]) -> str:
    """Return which phase did not pass, or an empty text.

    The guests phase does not count: finished guests are tested again anyway.
    """
    mine = (verdict for verdict in recorded.verdicts if verdict.phase in phases)
    bad = next((verdict for verdict in mine if verdict.status.stops), None)
    return f"{bad.phase.value} ended with {bad.status.value} in run {recorded.run_id}" if bad else ""


def _carried(recorded: RecordedMachine, phases: Sequence[Phase]) -> tuple[Verdict, ...]:
    """Return the verdicts before the first missing one.

    Each has the run that reached it.
    """
    found: list[Verdict] = []
    for phase in phases:
        verdict = next((verdict for verdict in recorded.verdicts if verdict.phase is phase), None)
        if verdict is None:
            break
        found.append(replace(verdict, carried_from=verdict.carried_from or recorded.run_id))
    return tuple(found)


def _by_power(recorded: RecordedMachine, now: ObservedMachine, carried: tuple[Verdict, ...]) -> Decision:
    last = carried[-1].phase
    going_on = f"continues after {last.value} of run {recorded.run_id}"
    if last is Phase.CREATION:
        if now.started and not now.running:
            return start_over("it was switched on and is off: its installation broke off")
        return Decision(carried, going_on)
    restarted = last.number >= Phase.ISO_DETACHED.number
    if not now.running and not restarted:
        return start_over("it is off, and was not restarted from its disk yet")
    if restarted and not recorded.installation:
        return start_over(f"run {recorded.run_id} does not report which installation it is")
    if restarted and now.attached and recorded.begun is not Phase.RESTARTS:
        return start_over("its VMX has the ISO in the drive again")
    any_boot = restarted or (recorded.begun is Phase.ISO_DETACHED and bool(recorded.installation))
    return Decision(carried, going_on, "" if any_boot else recorded.boot_id, recorded.installation)


def confirm(decision: Decision, boot_id: str, installation: Mapping[str, str]) -> Decision:
    """Confirm the decision after a login.

    The guest has to be the proven one.

    Args:
        boot_id: The boot that was logged into.
        installation: What it reports, as in `RecordedMachine`.
    """
    if decision.boot_id and boot_id != decision.boot_id:
        return start_over(f"it has restarted since: boot {boot_id}, not {decision.boot_id}")
    for name, known in decision.installation.items():
        if installation.get(name) != known:
            return start_over(f"it was installed again: {name} {installation.get(name)}, not {known}")
    return decision
