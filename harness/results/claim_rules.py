"""The nine claims: proven, disproven, not proven or not asked. Pure.

A claim rests on the checks that are declared for it, on every machine: the phases declare theirs, and a test of the
guests is one. The declarations are part of the run's first event, so that a result can be judged from its journal
alone. A claim is

PROVEN      all of them were looked at and passed
DISPROVEN   one of them was looked at and failed
NOT PROVEN  anything else: one was not asked, was not seen before its deadline, was blocked,
            could not be looked at, or the host broke
NOT ASKED   the lab does not have what the claim is about (no k3s in the payload), and does not require it

A claim is *asked* when the run works through every phase that it rests on, on every machine of the lab, and selects
every guest test that it names. A claim that a run did not ask is not proven, and does not decide the exit status.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim, Judgement, Standing
from harness.core.verdict import Check, Phase, Status, Verdict


@dataclass(frozen=True)
class Basis:
    """The checks of one phase that a claim rests on."""

    phase: Phase
    checks: tuple[str, ...]


def bases(claim: Claim, declared: Iterable[CheckSpec]) -> tuple[Basis, ...]:
    """Return what the claim rests on, phase by phase."""
    names: dict[Phase, dict[str, None]] = {}
    for check in declared:
        if claim in check.claims:
            names.setdefault(check.phase, {})[check.name] = None
    return tuple(Basis(phase, tuple(names[phase])) for phase in Phase if phase in names)


def default_required(*, has_k3s: bool, has_gateway: bool, own_seeds: bool) -> tuple[Claim, ...]:
    """Return the required claims by default: all that can be proven.

    Args:
        has_k3s: Whether the payload brings a cluster.
        has_gateway: Whether the lab has a registry of its own, and the hypervisor shows what passes its network.
        own_seeds: Whether the seeds were built here: what others put on theirs may not be comparable.
    """
    beyond = {Claim.CLUSTER: not has_k3s, Claim.AIR_GAPPED: not has_gateway, Claim.PACKAGES: not own_seeds}
    return tuple(claim for claim in Claim if not beyond.get(claim, False))


LAB_WIDE = (Phase.ENVIRONMENT, Phase.CLUSTER)  # judged once for the lab, not once per machine


def place(phase: Phase, machine: str | None) -> str:
    """Return the name of a phase: `boot/k3s-master1`, `cluster`."""
    return phase.value if machine is None or phase in LAB_WIDE else f"{phase.value}/{machine}"


@dataclass(frozen=True)
class Asked:
    """What the command line asked of the lab.

    Attributes:
        places: What the run works through, as `place` names it.
        left_out: Tests of the lab that were not selected.
        declared: Every check that the lab declares, asked or not.
    """

    places: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    declared: tuple[CheckSpec, ...] = ()


def judge_claims(
    declared: Collection[CheckSpec],
    verdicts: Sequence[Verdict],
    machines: Sequence[str],
    asked: Collection[str],
    required: Collection[str],
) -> tuple[Judgement, ...]:
    """Return how each claim stands, in the order of the table.

    Args:
        declared: The checks that the lab declares, with the claims that rest on them.
        verdicts: Of the run; of a phase with several each counts.
        machines: Every machine of the lab, whether or not the run touched it.
        asked: What the run works through, as `place` names it.
        required: The values of the claims that have to be proven.
    """
    return tuple(
        _conclude(
            claim, _Findings.of(bases(claim, declared), verdicts, machines, asked), required=claim.value in required
        )
        for claim in Claim
    )


@dataclass(frozen=True)
class _Findings:
    """What the verdicts say of one claim.

    Attributes:
        phases: Those whose checks it rests on.
        checks: Those that it rests on and that were answered; without the inapplicable ones.
        inapplicable: Why checks do not apply to this lab.
        planned: How many checks it rests on, answered or not.
        passed: How many of these were answered and passed.
        carried: For each of them that an earlier run made: that run.
        failed: One line per check that failed.
        unseen: One line per reason why something was not seen.
        unasked: What this run does not work through, as `place` names it.
    """

    phases: tuple[Phase, ...]
    checks: tuple[Check, ...]
    inapplicable: tuple[str, ...]
    planned: int
    passed: int
    carried: tuple[str, ...]
    failed: tuple[str, ...]
    unseen: tuple[str, ...]
    unasked: tuple[str, ...]

    @classmethod
    def of(
        cls, rests_on: Sequence[Basis], verdicts: Sequence[Verdict], machines: Sequence[str], asked: Collection[str]
    ) -> _Findings:
        places = [(basis, machine) for basis in rests_on for machine in _machines(basis, machines)]
        answers = [
            (verdict, check)
            for basis, machine in places
            for verdict in verdicts
            if (verdict.phase, verdict.machine) == (basis.phase, machine)
            for check in verdict.checks
            if check.name in basis.checks
        ]
        found = [pair for pair in answers if pair[1].status is not Status.NOT_ASKED]
        answered = {(verdict.phase, verdict.machine, check.name) for verdict, check in found}
        inapplicable = {
            key: check.seen
            for verdict, check in answers
            if (key := (verdict.phase, verdict.machine, check.name)) not in answered
        }
        bad = {(one.phase, one.machine, check.name) for one, check in found if check.status is not Status.PASS}
        unseen = [_told(*pair) for pair in found if not (_disproves(pair[1]) or pair[1].status is Status.PASS)]
        unseen += [text for basis, machine in places for text in _unseen(basis, machine, verdicts)]
        return cls(
            phases=tuple(basis.phase for basis in rests_on),
            checks=tuple(check for _, check in found),
            inapplicable=tuple(dict.fromkeys(inapplicable.values())),
            planned=sum(len(basis.checks) for basis, _ in places) - len(inapplicable),
            passed=len(answered) - len(bad),
            carried=tuple(verdict.carried_from for verdict, _ in found if verdict.carried_from),
            failed=tuple(_told(*pair) for pair in found if _disproves(pair[1])),
            unseen=tuple(dict.fromkeys(unseen)),
            unasked=tuple(sorted({place(basis.phase, machine) for basis, machine in places} - set(asked)))
            if machines
            else ("no machine is known",),
        )


def _conclude(claim: Claim, found: _Findings, *, required: bool) -> Judgement:
    standing, asked = Standing.NOT_PROVEN, True
    if found.failed:
        standing, why = Standing.DISPROVEN, (*found.failed, *found.unseen)
    elif found.unasked:
        names = dict.fromkeys(name.partition("/")[0] for name in found.unasked)
        asked, why = False, (f"not asked in this run: {', '.join(names)}",)
    elif found.inapplicable and not (found.unseen or found.checks):
        standing = Standing.NOT_PROVEN if required else Standing.NOT_ASKED
        why = tuple(f"not asked: {reason}" for reason in found.inapplicable)
    elif found.unseen or not found.checks:
        why = found.unseen or ("no check is declared for it",)
    else:
        phases = ", ".join(found.phases)
        standing, why = Standing.PROVEN, (f"{_earlier(found)}{found.passed} checks of {phases}",)
    return Judgement(
        claim,
        standing,
        asked=asked,
        required=required,
        why=why,
        checks=(found.passed, found.planned),
        evidence=tuple(dict.fromkeys(path for check in found.checks for path in check.evidence)),
        carried_from=tuple(sorted(set(found.carried))),
    )


def _earlier(found: _Findings) -> str:
    """Return how many checks were carried over from which runs."""
    if not found.carried:
        return ""
    by = f"proven by run {', '.join(sorted(set(found.carried)))}: "
    return by + ("all " if len(found.carried) == len(found.checks) else f"{len(found.carried)} of ")


def _machines(basis: Basis, machines: Sequence[str]) -> Sequence[str | None]:
    return (None,) if basis.phase in LAB_WIDE else machines


def _unseen(basis: Basis, machine: str | None, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield why checks that the basis names are in no verdict."""
    mine = [item for item in verdicts if item.phase is basis.phase and item.machine == machine]
    blocked = next((item.blocked_by for item in mine if item.blocked_by), "")
    answered = {check.name for item in mine for check in item.checks}
    missing = [name for name in basis.checks if name not in answered] or ([] if answered else ["the whole phase"])
    if not missing:
        return
    where = f"{basis.phase.value} of {machine}" if machine else basis.phase.value
    if blocked:
        yield f"{where}: blocked by {blocked}"
    elif not mine:
        yield f"{where}: no verdict"
    else:
        yield f"{where}: not looked at: {', '.join(missing)}"


def _disproves(check: Check) -> bool:
    return check.status is Status.FAIL and not check.inconclusive


def _told(verdict: Verdict, check: Check) -> str:
    """Return one line for a check that did not pass."""
    status = "not seen" if check.inconclusive else check.status.value
    return f"{verdict.title}: {check.name}: {status}: {check.why}"
