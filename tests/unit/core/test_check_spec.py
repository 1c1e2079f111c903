"""A declaration answers with its own name and expectation."""

from __future__ import annotations

import pytest

from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim
from harness.core.verdict import Phase, Status

SPEC = CheckSpec(Phase.CREATION, "vmx", (Claim.BUILT,), "every key as planned")


@pytest.mark.parametrize(("ok", "status"), [(True, Status.PASS), (False, Status.FAIL)])
def test_what_was_looked_at_passes_or_fails(ok: bool, status: Status) -> None:
    check = SPEC.judge(ok=ok, seen=12, remedy="look", cause="a cause")
    assert (check.name, check.status, check.expected, check.seen) == ("vmx", status, "every key as planned", "12")
    assert (check.remedy, check.cause) == ("look", "" if ok else "a cause")


def test_an_answer_may_say_more_exactly_what_is_expected() -> None:
    assert SPEC.judge(ok=True, expected="31 keys", seen="31 keys").expected == "31 keys"
    assert SPEC.not_proven("no VMX", expected="31 keys").expected == "31 keys"


def test_what_could_not_be_looked_at_is_not_proven() -> None:
    check = SPEC.not_proven("no VMX", remedy="create it")
    assert (check.status, check.expected, check.seen) == (Status.NOT_PROVEN, "every key as planned", "no VMX")
    assert check.remedy == "create it"


def test_what_the_lab_does_not_have_is_not_asked() -> None:
    check = SPEC.not_asked("no k3s in the payload")
    assert (check.status, check.seen) == (Status.NOT_ASKED, "no k3s in the payload")
