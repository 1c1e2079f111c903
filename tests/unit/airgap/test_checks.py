"""The checks of the air gap are complete and rest on one claim."""

from __future__ import annotations

from ipaddress import IPv4Address

from harness.airgap import checks, probes
from harness.core.claims import Claim
from harness.core.verdict import Phase


def test_every_check_belongs_to_the_air_gap_and_has_its_own_name() -> None:
    assert {check.phase for check in checks.CHECKS} == {Phase.AIR_GAP}
    assert {check.claims for check in checks.CHECKS} == {(Claim.AIR_GAPPED,)}
    assert len({check.name for check in checks.CHECKS}) == len(checks.CHECKS)


def test_every_way_out_has_probes_and_every_probe_has_a_check() -> None:
    outward = probes.outward_probes((), {})
    assert {probe.check for probe in outward} == {check.name for check in checks.CLOSED}
    peers = probes.peer_probes({"w1": IPv4Address("192.168.6.11")}, 22)
    assert {probe.check for probe in peers} == {checks.PEERS.name}
