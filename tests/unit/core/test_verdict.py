"""Verdicts: the worst status decides, and nothing seen is never a pass."""

from __future__ import annotations

import pytest

from harness.core.secret import Secret
from harness.core.verdict import Check, Phase, Status, Verdict, judge, worst

GOOD = Check("disk", Status.PASS, "40 GiB", "40 GiB", "remedy of a good check")
BAD = Check("vmx", Status.FAIL, "512", "memsize is 256\nmore", "look", ("vmware.log",))


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ([], Status.NOT_PROVEN),
        ([Status.PASS], Status.PASS),
        ([Status.NOT_ASKED], Status.NOT_ASKED),
        ([Status.NOT_ASKED, Status.PASS], Status.PASS),
        ([Status.NOT_ASKED, Status.NOT_PROVEN], Status.NOT_PROVEN),
        ([Status.PASS, Status.NOT_PROVEN], Status.NOT_PROVEN),
        ([Status.NOT_PROVEN, Status.BLOCKED], Status.BLOCKED),
        ([Status.BLOCKED, Status.FAIL], Status.FAIL),
        ([Status.FAIL, Status.ERROR, Status.PASS], Status.ERROR),
    ],
)
def test_the_most_severe_status_counts(statuses: list[Status], status: Status) -> None:
    assert worst(statuses) is status


def test_what_is_not_proven_does_not_stop_later_phases() -> None:
    assert {status for status in Status if status.stops} == {Status.FAIL, Status.ERROR, Status.BLOCKED}


def test_the_phases_are_numbered_in_their_order() -> None:
    assert [phase.number for phase in Phase] == list(range(len(Phase)))


def test_a_verdict_is_the_worst_of_its_checks_or_blocked() -> None:
    assert Verdict(Phase.CREATION, "m", (GOOD, BAD), 0, 1).status is Status.FAIL
    assert Verdict(Phase.CREATION, "m", (), 0, 1).status is Status.NOT_PROVEN
    assert Verdict(Phase.CREATION, "m", (GOOD,), 0, 1, blocked_by="boot of m").status is Status.BLOCKED


def test_a_verdict_shows_what_did_not_pass() -> None:
    verdict = Verdict(Phase.CREATION, "m", (GOOD, BAD), 0, 1)
    assert str(verdict).splitlines()[:2] == ["creation of m: fail (1 of 2 checks passed)", "vmx: fail: memsize is 256"]
    assert "40 GiB" not in str(verdict)
    assert str(Verdict(Phase.CLUSTER, None, (), 0, 0, blocked_by="boot of m")) == "cluster: blocked by boot of m"


def test_a_check_is_found_by_its_name() -> None:
    verdict = Verdict(Phase.CREATION, "m", (GOOD, BAD), 0, 1)
    assert (verdict.check("vmx"), verdict.check("absent")) == (BAD, None)


def test_a_remedy_is_for_what_did_not_pass() -> None:
    assert "remedy" not in str(GOOD)
    assert "  remedy:   look" in str(BAD)
    assert "  evidence: vmware.log" in str(BAD)


def test_the_cause_is_the_reason_where_it_is_known() -> None:
    assert BAD.why == "memsize is 256"
    assert judge("vmx", ok=False, expected=1, seen="long", cause="short").why == "short"
    assert judge("vmx", ok=True, expected=1, seen="long", cause="short").cause == ""


def test_a_masked_check_has_no_secret() -> None:
    word = Secret("s3cret-in-check").reveal()
    assert word not in str(Check("x", Status.FAIL, word, word, word, (), word).masked())
