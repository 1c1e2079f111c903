"""A broken check gets the cause that the evidence shows."""

from __future__ import annotations

import dataclasses

import pytest

from harness.core.verdict import Check, Phase, Status, Verdict
from harness.guest.diagnosis import Source
from harness.lab.evidence.explain import explain, explained

WAITED = Check(
    "ssh login",
    Status.FAIL,
    "x",
    "w1: an SSH login: not within 9 s\nlast seen: boot",
    "look",
    cause="an SSH login: not within 9 s",
)


def test_the_check_comes_first_and_its_evidence_after_it() -> None:
    found = explain(WAITED, "", {Source.CONSOLE: "cp: No space left on device"})
    assert found.why == "an SSH login: not within 9 s; the console says: a file system in the guest is full"
    assert str(found).splitlines()[0] == f"ssh login: fail: {found.why}"
    assert found.seen.endswith("the console: cp: No space left on device")
    assert found.remedy.endswith("; look")


@pytest.mark.parametrize(
    ("source", "text", "inconclusive"),
    [
        (Source.CONSOLE, "nothing known", True),
        (Source.CONSOLE, "Kernel panic - not syncing: boom", False),
        (Source.HYPERVISOR, "QEMU ended with -9: ", True),
    ],
)
def test_a_fatal_cause_in_the_guest_is_a_failure_that_was_seen(
    source: Source, text: str, *, inconclusive: bool
) -> None:
    expired = dataclasses.replace(WAITED, inconclusive=True)
    assert explain(expired, "", {source: text}).inconclusive is inconclusive


def test_the_machines_condition_comes_before_all() -> None:
    found = explain(WAITED, "the machine is off", {Source.HYPERVISOR: "QEMU ended with -9: "})
    assert found.why == (
        "the machine is off: an SSH login: not within 9 s; "
        "the hypervisor's log says: the hypervisor's process ended (-9)"
    )


def test_a_known_cause_is_not_repeated() -> None:
    known = Check("x", Status.FAIL, "", "y", cause="kernel panic: boom")
    assert explain(known, "", {Source.CONSOLE: "Kernel panic - not syncing: boom"}) == known
    assert explain(known, "", {Source.CONSOLE: "all is well"}) == known


def test_the_first_broken_check_is_explained_and_no_other() -> None:
    good, unproven = Check("a", Status.PASS, "", ""), Check("b", Status.NOT_PROVEN, "", "")
    verdict = Verdict(Phase.BOOT, "w1", (good, unproven, WAITED, WAITED), 0, 1)
    found = explained(verdict, "the machine is off", {})
    assert [check.why for check in found.checks[:2]] == ["", ""]
    assert found.checks[2].why.startswith("the machine is off")
    assert found.checks[3] == WAITED
    assert explained(Verdict(Phase.BOOT, "w1", (good,), 0, 1), "off", {}).checks == (good,)
