from __future__ import annotations

from dataclasses import replace

from run_samples import WORKER

from harness.core.claims import Claim, Standing
from harness.core.verdict import Check, Phase, Status, Verdict
from harness.lab.lab import Lab
from harness.lab.required_claims import judge_claims_of, required_claims
from harness.phases import declared_checks
from harness.results.claim_rules import Asked
from harness.seed.model import PayloadFile


def test_without_a_gateway_and_k3s_their_claims_are_not_required(lab: Lab) -> None:
    required = required_claims(lab)
    assert Claim.BUILT in required
    assert not {Claim.AIR_GAPPED, Claim.CLUSTER} & set(required)


def test_a_payload_with_k3s_requires_the_cluster(lab: Lab) -> None:
    machine = lab.machines[WORKER]
    assert machine.iso is not None
    machine.iso = replace(machine.iso, payload=(PayloadFile("bin/k3s", 1, "0"),))
    assert Claim.CLUSTER in required_claims(lab)


def test_claims_that_the_lab_file_names_are_the_required_ones(lab: Lab) -> None:
    spec = lab.context.plan.spec
    named = spec.model_copy(update={"claims": spec.claims.model_copy(update={"required": (Claim.CLUSTER,)})})
    object.__setattr__(lab.context.plan, "spec", named)
    assert required_claims(lab) == (Claim.CLUSTER,)


def test_a_failed_check_disproves_its_claim(lab: Lab) -> None:
    failed = Check("vmx", Status.FAIL, "as planned", "memsize is 512")
    lab.verdicts.add(Verdict(Phase.CREATION, WORKER, (failed,), 0.0, 1.0))
    asked = Asked(declared=declared_checks(list(lab.machines)))
    judged = {claim.claim: claim.standing for claim in judge_claims_of(lab, asked)}
    assert judged[Claim.BUILT] is Standing.DISPROVEN
    assert judged[Claim.CLUSTER] is Standing.NOT_PROVEN
