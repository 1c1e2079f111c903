"""Checks of the air gap; a probe names its check."""

from __future__ import annotations

from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim
from harness.core.verdict import Phase


def _check(name: str, expected: str) -> CheckSpec:
    return CheckSpec(Phase.AIR_GAP, name, (Claim.AIR_GAPPED,), expected)


REGISTRY = _check(
    "registry answers with a verified certificate", "an answer of the registry with a certificate for its address"
)
PULL = _check("image pulled", "the image that this run pushed, to the byte")
PEERS = _check("peers answer", "ICMP and TCP answers of every peer")
NO_DNS = _check("no DNS", "no answer from outside")
NO_TCP = _check("no TCP", "no answer from outside")
NO_UDP = _check("no UDP", "no answer from outside")
NO_ICMP = _check("no ICMP", "no answer from outside")
NO_NTP = _check("no NTP", "no answer from outside")
CLOSED = (NO_DNS, NO_TCP, NO_UDP, NO_ICMP, NO_NTP)
NOTHING_LEFT = _check(
    "nothing left the network", "attempts of this guest at the gateway; none answered from outside, none passed on"
)
SERVICES = _check(
    "no other service of the host", "no service but the lab's registry leads from the network to the host"
)
CHECKS = (REGISTRY, PULL, PEERS, *CLOSED, NOTHING_LEFT, SERVICES)
