from __future__ import annotations

from harness.cluster.checks import CHECKS
from harness.core.claims import Claim
from harness.core.verdict import Phase


def test_every_check_counts_for_the_cluster_and_has_a_name_of_its_own() -> None:
    assert {(check.phase, check.claims) for check in CHECKS} == {(Phase.CLUSTER, (Claim.CLUSTER,))}
    assert len({check.name for check in CHECKS}) == len(CHECKS)
