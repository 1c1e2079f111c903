"""The claims: what follows from verdicts, and from what was asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.claims import Claim, Judgement, Standing
from harness.core.verdict import Check, Phase, Status, Verdict
from harness.phases import declared_checks, guest_check
from harness.results.claim_rules import LAB_WIDE, bases, default_required, judge_claims, place

MACHINES = ("m", "w")
EVERYWHERE = [place(phase, name) for phase in Phase for name in MACHINES]
DECLARED = (
    *declared_checks(MACHINES),
    guest_check("host name"),
    guest_check("swap"),
    guest_check("registry name", (Claim.AIR_GAPPED, Claim.SETTINGS)),
)
BASES = {claim: bases(claim, DECLARED) for claim in Claim}


def check(name: str, status: Status = Status.PASS, seen: str = "as promised") -> Check:
    return Check(name, status, "as promised", seen, "", (f"{name}.log",) if status is not Status.PASS else ())


def good() -> list[Verdict]:
    """Return a verdict for each phase that claims rest on, with every check that they name."""
    names: dict[Phase, dict[str, None]] = {}
    for basis in (basis for rests_on in BASES.values() for basis in rests_on):
        names.setdefault(basis.phase, {}).update(dict.fromkeys(basis.checks))
    return [
        Verdict(phase, None if phase in LAB_WIDE else machine, tuple(check(name) for name in checks), 0, 1)
        for phase, checks in names.items()
        for machine in (MACHINES[:1] if phase in LAB_WIDE else MACHINES)
    ]


def changed(phase: Phase, name: str, status: Status) -> list[Verdict]:
    """Return the good verdicts with one check of the second machine (or the lab) changed."""
    return [
        replace(
            verdict,
            checks=tuple(check(one.name, status, "boom") if one.name == name else one for one in verdict.checks),
        )
        if verdict.phase is phase and verdict.machine in (None, "w")
        else verdict
        for verdict in good()
    ]


def judged(verdicts: list[Verdict], claim: Claim, asked: list[str] = EVERYWHERE) -> Judgement:
    required = [one.value for one in Claim]
    return next(item for item in judge_claims(DECLARED, verdicts, MACHINES, asked, required) if item.claim is claim)


@pytest.mark.parametrize("claim", Claim)
def test_a_claim_is_proven_when_all_it_rests_on_passed(claim: Claim) -> None:
    judgement = judged(good(), claim)
    assert (judgement.standing, judgement.holds_back) == (Standing.PROVEN, False)
    assert judgement.checks[0] == judgement.checks[1] > 0


PLACES = [(claim, basis.phase, name) for claim in Claim for basis in BASES[claim] for name in basis.checks]


@pytest.mark.parametrize(("claim", "phase", "name"), PLACES)
@pytest.mark.parametrize(
    ("status", "standing"),
    [
        (Status.FAIL, Standing.DISPROVEN),
        (Status.ERROR, Standing.NOT_PROVEN),
        (Status.NOT_PROVEN, Standing.NOT_PROVEN),
        (Status.BLOCKED, Standing.NOT_PROVEN),
    ],
)
def test_one_check_of_one_machine_decides(
    claim: Claim, phase: Phase, name: str, status: Status, standing: Standing
) -> None:
    judgement = judged(changed(phase, name, status), claim)
    assert (judgement.standing, judgement.holds_back) == (standing, True)
    assert name in judgement.why[0]
    assert "boom" in judgement.why[0]
    assert judgement.evidence == (f"{name}.log",)


@pytest.mark.parametrize(("claim", "phase", "name"), PLACES)
def test_a_check_that_was_only_not_seen_in_time_disproves_nothing(claim: Claim, phase: Phase, name: str) -> None:
    verdicts = [
        replace(
            verdict,
            checks=tuple(
                replace(one, inconclusive=True, cause="not within 9 s") if one.status is Status.FAIL else one
                for one in verdict.checks
            ),
        )
        for verdict in changed(phase, name, Status.FAIL)
    ]
    judgement = judged(verdicts, claim)
    assert (judgement.standing, judgement.holds_back) == (Standing.NOT_PROVEN, True)
    assert judgement.why[0].endswith(f"{name}: not seen: not within 9 s")


@pytest.mark.parametrize(("claim", "phase", "name"), PLACES)
def test_a_check_without_an_answer_is_not_proven(claim: Claim, phase: Phase, name: str) -> None:
    verdicts = [
        replace(verdict, checks=tuple(one for one in verdict.checks if one.name != name))
        if verdict.phase is phase
        else verdict
        for verdict in good()
    ]
    assert judged(verdicts, claim).standing is Standing.NOT_PROVEN


def test_a_claim_says_how_much_of_it_an_earlier_run_saw() -> None:
    carried = {Phase.ISO_DETACHED: "run-1", Phase.RESTARTS: "run-2"}
    verdicts = [replace(verdict, carried_from=carried.get(verdict.phase, "")) for verdict in good()]
    restarted = judged(verdicts, Claim.RESTARTED)
    assert restarted.why[0].startswith("proven by run run-1, run-2: all ")
    assert restarted.proven_by == "proven by run run-1, run-2"
    boot = next(verdict for verdict in verdicts if verdict.phase is Phase.BOOT)
    others = [replace(verdict, carried_from="") for verdict in verdicts if verdict is not boot]
    built = judged([replace(boot, carried_from="run-1"), *others], Claim.BUILT)
    assert built.why[0].startswith("proven by run run-1: 1 of ")
    assert judged(verdicts, Claim.PACKAGES).why[0].endswith("checks of packages")


@pytest.mark.parametrize("claim", Claim)
def test_no_verdict_is_not_proven(claim: Claim) -> None:
    judgement = judged([], claim)
    assert (judgement.standing, judgement.holds_back) == (Standing.NOT_PROVEN, True)
    assert "no verdict" in judgement.why[0]
    planned = sum(len(basis.checks) * (1 if basis.phase in LAB_WIDE else len(MACHINES)) for basis in BASES[claim])
    assert judgement.checks == (0, planned)


@pytest.mark.parametrize("claim", Claim)
def test_a_blocked_phase_is_not_proven_and_names_its_cause(claim: Claim) -> None:
    verdicts = [replace(verdict, checks=(), blocked_by="boot of w") for verdict in good()]
    judgement = judged(verdicts, claim)
    assert judgement.standing is Standing.NOT_PROVEN
    assert "blocked by boot of w" in judgement.why[0]


@pytest.mark.parametrize("missing", EVERYWHERE)
def test_what_was_not_asked_is_not_proven_though_everything_else_passed(missing: str) -> None:
    asked = [one for one in EVERYWHERE if one != missing]
    for claim in Claim:
        concerned = any(place(basis.phase, name) == missing for basis in BASES[claim] for name in MACHINES)
        judgement = judged(good(), claim, asked)
        assert judgement.asked is not concerned
        assert (judgement.standing is Standing.PROVEN) is not concerned
        assert not judgement.holds_back


def test_a_failure_is_disproof_though_not_all_was_asked() -> None:
    judgement = judged(changed(Phase.BOOT, "running", Status.FAIL), Claim.BUILT, asked=["boot/w"])
    assert (judgement.standing, judgement.holds_back) == (Standing.DISPROVEN, True)


def test_a_claim_that_is_not_required_holds_nothing_back() -> None:
    verdicts = changed(Phase.CLUSTER, "nodes ready", Status.NOT_PROVEN)
    required = [claim.value for claim in default_required(has_k3s=False, has_gateway=True, own_seeds=True)]
    judgement = judge_claims(DECLARED, verdicts, MACHINES, EVERYWHERE, required)[-1]
    assert (judgement.claim, judgement.standing) == (Claim.CLUSTER, Standing.NOT_PROVEN)
    assert (judgement.required, judgement.holds_back) == (False, False)


def test_a_run_that_knows_of_no_machine_proves_nothing() -> None:
    assert {item.standing for item in judge_claims(DECLARED, good(), (), EVERYWHERE, ())} == {Standing.NOT_PROVEN}


def test_what_can_be_proven_is_required() -> None:
    assert default_required(has_k3s=True, has_gateway=True, own_seeds=True) == tuple(Claim)
    assert Claim.CLUSTER not in default_required(has_k3s=False, has_gateway=True, own_seeds=True)
    assert Claim.AIR_GAPPED not in default_required(has_k3s=True, has_gateway=False, own_seeds=True)
    assert Claim.PACKAGES not in default_required(has_k3s=True, has_gateway=True, own_seeds=False)


def test_a_claim_for_which_nothing_is_declared_is_not_proven() -> None:
    for judgement in judge_claims((), good(), MACHINES, EVERYWHERE, [claim.value for claim in Claim]):
        assert (judgement.standing, judgement.why) == (Standing.NOT_PROVEN, ("no check is declared for it",))
        assert judgement.holds_back


def test_a_check_that_is_not_declared_counts_for_no_claim() -> None:
    verdicts = [replace(one, checks=(*one.checks, check("own", Status.FAIL))) for one in good()]
    assert {judged(verdicts, claim).standing for claim in Claim} == {Standing.PROVEN}


def of_no_k3s(*answered: Status) -> list[Verdict]:
    """Return the good verdicts; the cluster's checks are not asked, but for the first ones, which are as given."""
    verdicts = [one for one in good() if one.phase is not Phase.CLUSTER]
    names = [one.name for one in DECLARED if one.phase is Phase.CLUSTER]
    statuses = [*answered, *[Status.NOT_ASKED] * (len(names) - len(answered))]
    checks = tuple(check(name, status, "no k3s in the payload") for name, status in zip(names, statuses, strict=True))
    return [*verdicts, Verdict(Phase.CLUSTER, None, checks, 0, 1)]


def test_a_claim_about_something_that_the_lab_does_not_have_is_not_asked() -> None:
    required = [claim.value for claim in default_required(has_k3s=False, has_gateway=True, own_seeds=True)]
    judgement = judge_claims(DECLARED, of_no_k3s(), MACHINES, EVERYWHERE, required)[-1]
    assert (judgement.standing, judgement.asked, judgement.checks) == (Standing.NOT_ASKED, True, (0, 0))
    assert judgement.why == ("not asked: no k3s in the payload",)


def test_what_is_required_and_was_not_asked_is_not_proven() -> None:
    judgement = judged(of_no_k3s(), Claim.CLUSTER)
    assert (judgement.standing, judgement.holds_back) == (Standing.NOT_PROVEN, True)
    assert judgement.why == ("not asked: no k3s in the payload",)


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        (Status.PASS, Standing.PROVEN),
        (Status.FAIL, Standing.DISPROVEN),
        (Status.NOT_PROVEN, Standing.NOT_PROVEN),
        (Status.ERROR, Standing.NOT_PROVEN),
    ],
)
def test_checks_that_do_not_apply_leave_the_claim_to_the_others(status: Status, standing: Standing) -> None:
    judgement = judged(of_no_k3s(status), Claim.CLUSTER)
    assert (judgement.standing, judgement.checks) == (standing, (int(status is Status.PASS), 1))
