"""Each branch of the decision whether a machine of an earlier run goes on where it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.verdict import Check, Phase, Status, Verdict
from harness.lab.resume.decision import (
    Decision,
    ObservedMachine,
    Rebuild,
    RecordedMachine,
    ResumeMode,
    Unseen,
    confirm,
    unanswered,
)
from harness.lab.resume.decision import decide as decide_for

PHASES = tuple(phase for phase in Phase if phase not in (Phase.ENVIRONMENT, Phase.GUESTS, Phase.CLUSTER))
INPUTS = {"`hardware` of the lab file": "aa", "the seed seed-m1.iso": "bb"}


def verdicts(last: Phase, status: Status = Status.PASS) -> tuple[Verdict, ...]:
    """Return verdicts up to that phase, all passed but the last, which has that status."""
    reached = [phase for phase in PHASES if phase.number <= last.number]
    outcome = dict.fromkeys(reached, Status.PASS) | {last: status}
    return tuple(Verdict(phase, "m1", (Check("c", outcome[phase], "", ""),), 1.0, 2.0) for phase in reached)


def past(last: Phase, status: Status = Status.PASS, begun: Phase | None = None) -> RecordedMachine:
    seen = INSTALLATION if last.number >= Phase.ISO_DETACHED.number or begun is Phase.ISO_DETACHED else {}
    return RecordedMachine("run-2", "run-1", INPUTS, verdicts(last, status), begun, "boot-1", seen)


INSTALLATION = {"machine id": "abc", "installer runs": "1"}
NOW = ObservedMachine("run-1", INPUTS, running=True, started=True)


UNSEEN = Unseen("vmrun does not answer", "look at vmrun")


def decide(
    known: RecordedMachine | Unseen | None,
    now: ObservedMachine,
    phases: tuple[Phase, ...],
    mode: ResumeMode = ResumeMode.RESUME,
) -> Decision:
    return decide_for(known, now, phases, mode)


def last(decision: Decision) -> Phase | None:
    return decision.last


@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase.number >= Phase.CREATION.number])
def test_what_passed_is_carried_over_and_says_from_where(phase: Phase) -> None:
    decision = decide(past(phase), NOW, PHASES)
    assert [verdict.phase for verdict in decision.carried] == [one for one in PHASES if one.number <= phase.number]
    assert {verdict.carried_from for verdict in decision.carried} == {"run-2"}
    assert "continues after" in decision.why


def test_what_was_carried_over_before_keeps_its_first_run() -> None:
    known = past(Phase.PACKAGES)
    first = tuple(replace(verdict, carried_from="run-1") for verdict in known.verdicts[:3])
    decision = decide(replace(known, verdicts=(*first, *known.verdicts[3:])), NOW, PHASES)
    assert [verdict.carried_from for verdict in decision.carried[:4]] == ["run-1", "run-1", "run-1", "run-2"]


def test_what_could_not_be_proven_is_carried_over_as_not_proven() -> None:
    decision = decide(past(Phase.ISO_COPY, Status.NOT_PROVEN), NOW, PHASES)
    assert last(decision) is Phase.ISO_COPY
    assert decision.carried[-1].status is Status.NOT_PROVEN


@pytest.mark.parametrize("status", [Status.FAIL, Status.ERROR])
def test_a_phase_that_went_wrong_starts_over(status: Status) -> None:
    decision = decide(past(Phase.CLOUD_INIT, status), NOW, PHASES)
    assert decision.carried == ()
    assert decision.why == f"cloud-init ended with {status.value} in run run-2"


def test_a_finished_guest_that_failed_a_check_goes_on_and_is_asked_again() -> None:
    known = past(PHASES[-1])
    failed = Verdict(Phase.GUESTS, "m1", (Check("swap", Status.FAIL, "", ""),), 1.0, 2.0)
    decision = decide(replace(known, verdicts=(*known.verdicts, failed)), NOW, PHASES)
    assert last(decision) is PHASES[-1]
    assert decision.verdict(Phase.GUESTS) is None


def test_a_hole_ends_what_is_carried_over() -> None:
    known = past(Phase.PACKAGES)
    holed = tuple(verdict for verdict in known.verdicts if verdict.phase is not Phase.ISO_COPY)
    assert last(decide(replace(known, verdicts=holed), NOW, PHASES)) is Phase.BOOT


FINISHED = past(PHASES[-1])
START_OVER = {
    "gone from the ledger": (past(Phase.BOOT), replace(NOW, made_by=""), Rebuild.ABSENT, "it is gone"),
    "never built": (None, ObservedMachine(""), Rebuild.ABSENT, "no earlier run has it"),
    "being built anew": (
        RecordedMachine("run-9", "run-9", INPUTS),
        NOW,
        Rebuild.UNFINISHED,
        "run run-9 had begun to build it anew",
    ),
    "files missing": (FINISHED, replace(NOW, missing="it is gone: m1.vmdk is missing"), Rebuild.GONE, "m1.vmdk"),
    "VMX changed": (FINISHED, replace(NOW, changes="m1.vmx was changed"), Rebuild.VMX, "m1.vmx was changed"),
    "input changed": (
        past(Phase.BOOT),
        replace(NOW, inputs={**INPUTS, "the seed seed-m1.iso": "cc"}),
        Rebuild.INPUTS,
        "changed since run run-2: the seed seed-m1.iso",
    ),
    "input new": (
        past(Phase.BOOT),
        replace(NOW, inputs={**INPUTS, "more": "x"}),
        Rebuild.INPUTS,
        "changed since run run-2: more",
    ),
    "not created": (past(Phase.CLEANUP), NOW, Rebuild.UNFINISHED, "had not created it"),
    "nothing done": (RecordedMachine("run-2", "run-1", INPUTS), NOW, Rebuild.UNFINISHED, "had not created it"),
    "failed": (past(Phase.PACKAGES, Status.FAIL), NOW, Rebuild.FAILED, "packages ended with fail in run run-2"),
    "installation broke off": (
        past(Phase.CREATION),
        replace(NOW, running=False),
        Rebuild.UNFINISHED,
        "its installation broke off",
    ),
    "off before its restart": (
        past(Phase.PACKAGES),
        replace(NOW, running=False),
        Rebuild.UNFINISHED,
        "was not restarted",
    ),
    "ISO in the drive": (
        past(Phase.RESTARTS),
        replace(NOW, attached=True),
        Rebuild.ISO_ATTACHED,
        "has the ISO in the drive again",
    ),
}


@pytest.mark.parametrize("case", START_OVER)
def test_it_starts_over_and_says_why(case: str) -> None:
    known, now, reason, why = START_OVER[case]
    decision = decide(known, now, PHASES)
    assert decision.carried == ()
    assert decision.rebuild is reason
    assert why in decision.why


NOT_TOUCHED = {
    "no record and no journal": (None, NOW, "run run-1 made it and it was kept"),
    "made by a run that nothing records": (FINISHED, replace(NOW, made_by="run-9"), "run run-9 made it"),
    "unreadable record": (Unseen("events.jsonl cannot be read", "-"), NOW, "events.jsonl cannot be read"),
    "not looked at": (FINISHED, ObservedMachine("run-1", unseen=UNSEEN), "vmrun does not answer"),
    "unknown installation": (
        replace(FINISHED, installation={}),
        NOW,
        "the record of run run-2 does not have which installation it is",
    ),
}


@pytest.mark.parametrize("mode", [ResumeMode.CONVERGE, ResumeMode.RESUME, ResumeMode.REUSE])
@pytest.mark.parametrize("case", NOT_TOUCHED)
def test_what_could_not_be_looked_at_leads_to_no_rebuild(case: str, mode: ResumeMode) -> None:
    known, now, why = NOT_TOUCHED[case]
    decision = decide(known, now, PHASES, mode)
    assert (decision.carried, decision.rebuild) == ((), None)
    assert decision.unseen is not None
    assert why in decision.unseen.what


def test_fresh_needs_no_record_and_no_look() -> None:
    decision = decide(FINISHED, ObservedMachine("run-1", unseen=UNSEEN), PHASES, ResumeMode.FRESH)
    assert decision.rebuild is Rebuild.FRESH


def test_an_unfinished_machine_is_built_anew_whether_or_not_it_can_be_looked_at() -> None:
    decision = decide(past(Phase.BOOT), ObservedMachine("run-1", unseen=UNSEEN), PHASES, ResumeMode.CONVERGE)
    assert (decision.rebuild, decision.why[:14]) == (Rebuild.UNFINISHED, "not finished: ")


@pytest.mark.parametrize(
    ("known", "by_guest", "reason"),
    [
        (FINISHED, True, None),
        (FINISHED, False, None),
        (past(Phase.PACKAGES), False, None),
        (past(Phase.PACKAGES), True, Rebuild.UNFINISHED),
    ],
)
def test_only_an_unfinished_guest_that_does_not_answer_is_built_anew(
    known: RecordedMachine, by_guest: bool, reason: Rebuild | None
) -> None:
    decision = unanswered(decide(known, NOW, PHASES), UNSEEN, PHASES, by_guest=by_guest)
    assert decision.rebuild is reason
    assert (decision.unseen is None) is (reason is not None)


@pytest.mark.parametrize("now", [replace(NOW, running=False, started=False), NOW])
def test_a_created_machine_goes_on_whether_or_not_it_was_switched_on(now: ObservedMachine) -> None:
    assert last(decide(past(Phase.CREATION), now, PHASES)) is Phase.CREATION


def test_a_machine_that_was_restarted_from_its_disk_may_be_off() -> None:
    assert last(decide(past(Phase.ISO_DETACHED), replace(NOW, running=False), PHASES)) is Phase.ISO_DETACHED


@pytest.mark.parametrize(
    ("phase", "begun", "wanted"),
    [
        (Phase.BOOT, Phase.ISO_COPY, "boot-1"),
        (Phase.PACKAGES, None, "boot-1"),
        (Phase.PACKAGES, Phase.ISO_DETACHED, ""),
        (Phase.ISO_DETACHED, None, ""),
    ],
)
def test_the_boot_that_was_proven_has_to_last_until_a_restart_was_due(
    phase: Phase, begun: Phase | None, wanted: str
) -> None:
    decision = decide(past(phase, begun=begun), NOW, PHASES)
    assert decision.boot_id == wanted
    assert confirm(decision, "boot-1", INSTALLATION) == decision
    other = confirm(decision, "boot-2", INSTALLATION)
    assert (other == decision) is (wanted == "")
    if wanted:
        assert other.why == "it has restarted since: boot boot-2, not boot-1"
        assert other.rebuild is Rebuild.RESTARTED


def test_a_phase_that_had_begun_to_restart_the_machine_and_had_seen_nothing_of_it_leaves_the_boot() -> None:
    known = replace(past(Phase.PACKAGES, begun=Phase.ISO_DETACHED), installation={})
    assert decide(known, NOW, PHASES).boot_id == "boot-1"


def test_a_machine_whose_power_was_being_cut_may_have_its_iso() -> None:
    decision = decide(past(Phase.ISO_DETACHED, begun=Phase.RESTARTS), replace(NOW, attached=True), PHASES)
    assert last(decision) is Phase.ISO_DETACHED
    assert last(decide(past(Phase.PACKAGES), replace(NOW, attached=True), PHASES)) is Phase.PACKAGES


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({**INSTALLATION, "machine id": "fed"}, "it was installed again: machine id fed, not abc"),
        ({**INSTALLATION, "installer runs": "2"}, "it was installed again: installer runs 2, not 1"),
    ],
)
def test_a_restarted_machine_has_to_be_the_installation_that_was_proven(answer: dict[str, str], why: str) -> None:
    decision = decide(past(Phase.RESTARTS), NOW, PHASES)
    assert confirm(decision, "boot-9", INSTALLATION) == decision
    other = confirm(decision, "boot-9", answer)
    assert (other.why, other.rebuild) == (why, Rebuild.INSTALLATION)


def test_a_guest_that_does_not_report_its_installation_is_left_alone() -> None:
    decision = confirm(decide(past(Phase.RESTARTS), NOW, PHASES), "boot-9", {})
    assert (decision.carried, decision.rebuild) == ((), None)
    assert decision.unseen == Unseen(
        "the guest does not report its machine id", "log in and run the identity script of the seed"
    )


def test_every_reason_for_a_rebuild_is_tested() -> None:
    tested = {reason for _, _, reason, _ in START_OVER.values()}
    assert set(Rebuild) - tested == {Rebuild.FRESH, Rebuild.RESTARTED, Rebuild.INSTALLATION}
