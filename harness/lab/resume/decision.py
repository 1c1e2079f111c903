"""Decide whether a machine of an earlier run is continued. Pure.

Its record and what is observed now decide. There are three outcomes:

continued    A phase is carried over when it passed (or could not be proven, and then still is not), everything before
             it is carried over, and what it rests on still holds: the machine is the one that the earlier run made, of
             the same inputs, and is on the same boot where that matters.
built anew   For a reason of `Rebuild`, and for no other. The machine is deleted.
an error     Something could not be looked at, or nothing records how far the machine got. It is not touched.
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


class Rebuild(StrEnum):
    """Every reason for which a machine is built anew, which deletes the old one.

    Each is something that was seen. What could not be looked at is an error, and is not in this list.
    """

    FRESH = "`--fresh` asks for it"
    ABSENT = "the ledger has no such machine"
    FAILED = "one of its phases did not pass"
    UNFINISHED = "its own record shows that it is not finished"
    GONE = "its VMX or its disk is not there"
    VMX = "its VMX was changed"
    INPUTS = "its lab file or its seed was changed"
    ISO_ATTACHED = "its VMX has the ISO in the drive again"
    RESTARTED = "it is on another boot than the one that was proven"
    INSTALLATION = "it was installed again"


@dataclass(frozen=True)
class Unseen:
    """Something that could not be looked at, and the remedy."""

    what: str
    remedy: str


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
        event_at: When its last event was read from its console: UTC, ISO 8601.
    """

    run_id: str
    made_by: str
    inputs: Mapping[str, str]
    verdicts: tuple[Verdict, ...] = ()
    begun: Phase | None = None
    boot_id: str = ""
    installation: Mapping[str, str] = field(default_factory=dict)
    event_at: str = ""


@dataclass(frozen=True)
class ObservedMachine:
    """A machine as it is observed now.

    Attributes:
        made_by: The run that the ledger names; empty where it is not in the ledger.
        inputs: As in `RecordedMachine`.
        missing: Which of VMX and disk is not there; empty where both are.
        changes: Which keys of its VMX were changed; empty where none.
        running: Whether `vmrun list` has it.
        started: Whether it was ever powered on.
        attached: Whether its VMX has the ISO in the drive at the next start.
        unseen: What could not be looked at; then nothing but `made_by` is known.
    """

    made_by: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""
    changes: str = ""
    running: bool = False
    started: bool = False
    attached: bool = False
    unseen: Unseen | None = None


@dataclass(frozen=True)
class Decision:
    """Whether a machine is continued.

    Attributes:
        carried: The verdicts that are carried over, from the first phase on; none where it is not continued.
        why: Why it is not continued, or where it continues.
        boot_id: The boot that it has to be on; empty where any boot will do.
        installation: What it has to report, as in `RecordedMachine`.
        rebuild: Why it is built anew; None where it is not.
        unseen: What could not be looked at. The machine is not touched then.
    """

    carried: tuple[Verdict, ...]
    why: str
    boot_id: str = ""
    installation: Mapping[str, str] = field(default_factory=dict)
    rebuild: Rebuild | None = None
    unseen: Unseen | None = None

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


def start_over(reason: Rebuild, why: str = "") -> Decision:
    """Return the decision to build a machine anew."""
    return Decision((), why or reason.value, rebuild=reason)


def not_seen(what: str, remedy: str) -> Decision:
    """Return the decision to leave a machine alone: it could not be looked at."""
    return Decision((), what, unseen=Unseen(what, remedy))


def decide(
    recorded: RecordedMachine | Unseen | None, now: ObservedMachine, phases: Sequence[Phase], mode: ResumeMode
) -> Decision:
    """Decide whether a machine is continued.

    Args:
        recorded: The newest record of the machine; None where there is none, `Unseen` where it cannot be read.
        now: The machine as it is observed.
        phases: The phases of one machine, in their order.
        mode: What the run does with machines of an earlier run.
    """
    if mode is ResumeMode.FRESH:
        return start_over(Rebuild.FRESH)
    if not now.made_by:
        gone = isinstance(recorded, RecordedMachine)
        return start_over(
            Rebuild.ABSENT, "it is gone: the ledger no longer has it" if gone else "no earlier run has it"
        )
    if isinstance(recorded, Unseen):
        return not_seen(recorded.what, recorded.remedy)
    if recorded is None or recorded.made_by < now.made_by:
        return not_seen(*_unrecorded(now))
    if recorded.made_by != now.made_by:
        return start_over(Rebuild.UNFINISHED, f"run {recorded.made_by} had begun to build it anew")
    decision = _by_record(recorded, phases, mode)
    if decision.rebuild is not None:
        return decision
    if now.unseen is not None:
        return not_seen(now.unseen.what, now.unseen.remedy)
    return _difference(recorded, now) or _by_power(recorded, now, decision.carried)


def _unrecorded(now: ObservedMachine) -> tuple[str, str]:
    return (
        f"run {now.made_by} made it and it was kept, but neither a record beside it nor a journal shows how far it got",
        "run with the --reports directory of that run",
    )


def _by_record(recorded: RecordedMachine, phases: Sequence[Phase], mode: ResumeMode) -> Decision:
    """Return what the record alone allows: what is carried over, or why nothing is.

    The guests phase does not count: finished guests are tested again anyway.
    """
    mine = (verdict for verdict in recorded.verdicts if verdict.phase in phases)
    bad = next((verdict for verdict in mine if verdict.status.stops), None)
    if bad is not None:
        return start_over(Rebuild.FAILED, f"{bad.phase.value} ended with {bad.status.value} in run {recorded.run_id}")
    carried = _carried(recorded, phases)
    if not carried or carried[-1].phase.number < Phase.CREATION.number:
        return start_over(Rebuild.UNFINISHED, f"run {recorded.run_id} had not created it")
    missing = [phase.value for phase in phases[len(carried) :]]
    if missing and mode is not ResumeMode.RESUME:
        return start_over(Rebuild.UNFINISHED, f"not finished: {', '.join(missing)}")
    return Decision(carried, "")


def _difference(recorded: RecordedMachine, now: ObservedMachine) -> Decision | None:
    """Return the decision where the machine is not as the earlier run left it."""
    if now.missing:
        return start_over(Rebuild.GONE, now.missing)
    if now.changes:
        return start_over(Rebuild.VMX, now.changes)
    names = sorted({*recorded.inputs, *now.inputs})
    changed = [name for name in names if recorded.inputs.get(name) != now.inputs.get(name)]
    if changed:
        return start_over(Rebuild.INPUTS, f"changed since run {recorded.run_id}: {', '.join(changed)}")
    return None


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
            return start_over(Rebuild.UNFINISHED, "it was switched on and is off: its installation broke off")
        return Decision(carried, going_on)
    restarted = last.number >= Phase.ISO_DETACHED.number
    if not now.running and not restarted:
        return start_over(Rebuild.UNFINISHED, "it is off, and was not restarted from its disk yet")
    if restarted and not recorded.installation:
        return not_seen(
            f"the record of run {recorded.run_id} does not have which installation it is",
            "run with the --reports directory of that run",
        )
    if restarted and now.attached and recorded.begun is not Phase.RESTARTS:
        return start_over(Rebuild.ISO_ATTACHED)
    any_boot = restarted or (recorded.begun is Phase.ISO_DETACHED and bool(recorded.installation))
    return Decision(carried, going_on, "" if any_boot else recorded.boot_id, recorded.installation)


def unanswered(decision: Decision, unseen: Unseen, phases: Sequence[Phase], *, by_guest: bool) -> Decision:
    """Return the decision for a machine that refused the login.

    It was to be continued.

    Args:
        decision: To continue it.
        unseen: What could not be looked at.
        phases: The phases of one machine, in their order.
        by_guest: Whether the guest is what does not answer; the host is what broke otherwise.
    """
    if by_guest and decision.missing(phases):
        return start_over(Rebuild.UNFINISHED, f"it is not finished, and does not answer: {unseen.what}")
    return not_seen(unseen.what, unseen.remedy)


def confirm(decision: Decision, boot_id: str, installation: Mapping[str, str]) -> Decision:
    """Confirm the decision after a login.

    The guest has to be the proven one.

    Args:
        boot_id: The boot that was logged into.
        installation: What it reports, as in `RecordedMachine`.
    """
    if decision.boot_id and boot_id != decision.boot_id:
        return start_over(Rebuild.RESTARTED, f"it has restarted since: boot {boot_id}, not {decision.boot_id}")
    for name, known in decision.installation.items():
        seen = installation.get(name, "")
        if known and not seen:
            return not_seen(f"the guest does not report its {name}", "log in and run the identity script of the seed")
        if seen != known:
            return start_over(Rebuild.INSTALLATION, f"it was installed again: {name} {seen}, not {known}")
    return decision
