"""Whether a machine of an earlier run goes on where it was: the earlier journal and what is seen now decide. Pure.

A phase is carried over when it passed (or could not be proven, and then still is not), everything before it is carried
over, and what it rests on still holds: the machine is the one that the earlier run made, of the same inputs, and is on
the same boot where that matters. Anything else starts the machine afresh, and says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from harness.core.verdict import Phase, Verdict


class ResumeMode(StrEnum):
    """What a session does with the machines of an earlier run."""

    CONVERGE = "converge"  # takes finished ones as they are, and starts the others afresh
    FRESH = "fresh"  # removes them
    RESUME = "resume"  # goes on where they are, and starts afresh what cannot go on
    REUSE = "reuse"  # takes finished ones as they are, and touches no other


@dataclass(frozen=True)
class RecordedMachine:
    """What the newest journal that tells of a machine tells of it.

    Attributes:
        run_id: That run.
        made_by: The run that created the machine: the same, or one that it went on from.
        inputs: Digests of what the machine is made of, by name.
        verdicts: Of its phases, in their order.
        begun: A phase that began and has no verdict.
        boot_id: The boot that was logged into last.
        installation: What tells its installation from another one, by name; nothing where no phase asked for it.
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
    """What is seen of a machine now.

    Attributes:
        made_by: The run that the ledger names; empty where it is not in the ledger.
        inputs: As in `RecordedMachine`.
        problem: Why its directory, its disk or its VMX are not what the earlier run left; empty where they are.
        running: Whether `vmrun list` has it.
        started: Whether it was ever switched on.
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
    """What becomes of a machine.

    Attributes:
        carried: The verdicts that are carried over, from the first phase on; nothing means that it starts afresh.
        why: Why it starts afresh, or where it goes on.
        boot_id: The boot that it has to be on; empty where another one is as good.
        installation: What it has to answer, as in `RecordedMachine`.
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


def afresh(why: str) -> Decision:
    """Return the decision to start a machine afresh."""
    return Decision((), why)


def decide(past: RecordedMachine | None, now: ObservedMachine, phases: Sequence[Phase]) -> Decision:
    """Return what becomes of a machine.

    Args:
        past: What is known of it; None where no journal tells of it.
        now: What is seen of it.
        phases: The phases of one machine, in their order.
    """
    if past is None:
        return afresh("no earlier run tells of it")
    obstacle = _not_the_same(past, now) or _went_wrong(past, phases)
    if obstacle:
        return afresh(obstacle)
    carried = _carried(past, phases)
    last = carried[-1].phase if carried else None
    if last is None or last.number < Phase.CREATION.number:
        return afresh(f"run {past.run_id} had not created it")
    return _by_power(past, now, carried)


def _not_the_same(past: RecordedMachine, now: ObservedMachine) -> str:
    """Return why the machine is another one than that of the earlier run, or an empty text."""
    if not now.made_by:
        return f"it is gone: the ledger no longer has the machine of run {past.run_id}"
    if now.made_by != past.made_by:
        return f"run {now.made_by} made it, and run {past.run_id} tells of one that run {past.made_by} made"
    if now.problem:
        return now.problem
    names = sorted({*past.inputs, *now.inputs})
    changed = [name for name in names if past.inputs.get(name) != now.inputs.get(name)]
    return f"changed since run {past.run_id}: {', '.join(changed)}" if changed else ""


def _went_wrong(past: RecordedMachine, phases: Sequence[Phase]) -> str:
    """Return which phase of the machine did not pass, or an empty text; finished guests are asked again anyway."""
    mine = (verdict for verdict in past.verdicts if verdict.phase in phases)
    bad = next((verdict for verdict in mine if verdict.status.stops), None)
    return f"{bad.phase.value} ended with {bad.status.value} in run {past.run_id}" if bad else ""


def _carried(past: RecordedMachine, phases: Sequence[Phase]) -> tuple[Verdict, ...]:
    """Return the verdicts of the phases up to the first that has none, each with the run that reached it."""
    found: list[Verdict] = []
    for phase in phases:
        verdict = next((verdict for verdict in past.verdicts if verdict.phase is phase), None)
        if verdict is None:
            break
        found.append(replace(verdict, carried_from=verdict.carried_from or past.run_id))
    return tuple(found)


def _by_power(past: RecordedMachine, now: ObservedMachine, carried: tuple[Verdict, ...]) -> Decision:
    last = carried[-1].phase
    going_on = f"goes on after {last.value} of run {past.run_id}"
    if last is Phase.CREATION:
        if now.started and not now.running:
            return afresh("it was switched on and is off: its installation broke off")
        return Decision(carried, going_on)
    restarted = last.number >= Phase.ISO_DETACHED.number
    if not now.running and not restarted:
        return afresh("it is off, and was not restarted from its disk yet")
    if restarted and not past.installation:
        return afresh(f"run {past.run_id} does not tell which installation it is")
    if restarted and now.attached and past.begun is not Phase.RESTARTS:
        return afresh("its VMX has the ISO in the drive again")
    any_boot = restarted or (past.begun is Phase.ISO_DETACHED and bool(past.installation))
    return Decision(carried, going_on, "" if any_boot else past.boot_id, past.installation)


def confirm(decision: Decision, boot_id: str, installation: Mapping[str, str]) -> Decision:
    """Return the decision for a machine that was logged into: it has to be what was proven.

    Args:
        boot_id: The boot that answers.
        installation: What it answers, as in `RecordedMachine`.
    """
    if decision.boot_id and boot_id != decision.boot_id:
        return afresh(f"it has restarted since: boot {boot_id}, not {decision.boot_id}")
    for name, known in decision.installation.items():
        if installation.get(name) != known:
            return afresh(f"it was installed again: {name} {installation.get(name)}, not {known}")
    return decision
