"""The claims that a run has to prove, and their judgement."""

from __future__ import annotations

from harness.config.model import SeedSource
from harness.core.claims import Claim, Judgement
from harness.lab.lab import Lab
from harness.results.claim_rules import Asked, default_required, judge_claims
from harness.vmrun.discovery import Kind


def required_claims(lab: Lab) -> tuple[Claim, ...]:
    """Return the claims that this run has to prove."""
    context = lab.context
    named = context.plan.spec.claims.required
    if named is not None:
        return named
    own_seeds = context.plan.spec.seeds.source is not SeedSource.PROVIDED
    return default_required(
        has_k3s=any(machine.iso and machine.iso.has_k3s for machine in lab.machines.values()),
        has_gateway=context.hypervisor.kind is Kind.EMBEDDED and own_seeds,
        own_seeds=own_seeds,
    )


def judge_claims_of(lab: Lab, asked: Asked) -> tuple[Judgement, ...]:
    """Judge every claim by the verdicts that are published by now."""
    required = [claim.value for claim in required_claims(lab)]
    return judge_claims(asked.declared, lab.verdicts.recorded(), list(lab.machines), asked.places, required)
