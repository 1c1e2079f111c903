"""Claims: their sentences, and which of them hold a run back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.claims import Claim, Judgement, Standing


@pytest.mark.parametrize("claim", Claim)
def test_each_claim_has_a_sentence(claim: Claim) -> None:
    assert claim.sentence
    here = Judgement(claim, Standing.PROVEN, asked=True, required=True, why=())
    assert here.title == claim.sentence + (" in this run" if claim is Claim.INSTALLED else "")
    assert here.proven_by == ""
    earlier = replace(here, carried_from=("run-1",))
    assert (earlier.title, earlier.proven_by) == (claim.sentence, "proven by run run-1")
    assert replace(earlier, standing=Standing.NOT_PROVEN).proven_by == ""


@pytest.mark.parametrize(
    ("standing", "word"),
    [
        (Standing.PROVEN, "proven"),
        (Standing.DISPROVEN, "DISPROVEN"),
        (Standing.NOT_PROVEN, "NOT PROVEN"),
        (Standing.NOT_ASKED, "not asked"),
    ],
)
def test_what_should_be_proven_and_is_not_is_in_capitals(standing: Standing, word: str) -> None:
    assert Judgement(Claim.BUILT, standing, asked=True, required=True, why=()).word == word


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("required", [True, False])
def test_a_claim_holds_a_run_back_if_it_is_required_asked_and_not_proven(
    standing: Standing, asked: bool, required: bool
) -> None:
    judgement = Judgement(Claim.BUILT, standing, asked=asked, required=required, why=())
    assert judgement.holds_back is (asked and required and standing is not Standing.PROVEN)
