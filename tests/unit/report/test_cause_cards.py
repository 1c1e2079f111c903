"""A card for each failed machine."""

from __future__ import annotations

import dataclasses

from report_samples import events_of, failing, kept, replaced, static, verdicts

from harness.core.verdict import Phase
from harness.report.clipping import Budget
from harness.report.page import View
from harness.report.page_model import CauseCard
from harness.results.model import EvidenceFile, RunResult
from harness.results.replay import from_events

WORKER, OTHER = "k3s-worker1", "k3s-worker2"
SCREEN = f"{WORKER}/screen.png"


def two_failed() -> RunResult:
    found = replaced(verdicts(), OTHER, Phase.PACKAGES, failing(seen="no packages"))
    found = replaced(found, WORKER, Phase.ISO_COPY, failing(seen="no copy"))
    run = from_events(events_of(found, exit_status=1))
    return dataclasses.replace(run, evidence=(*run.evidence, EvidenceFile(SCREEN, WORKER)))


def cards(
    run: RunResult, tails: dict[str, str] | None = None, pictures: dict[str, str] | None = None
) -> list[CauseCard]:
    return list(View(run, tails or {}, Budget(100_000), (), pictures).causes)


def test_every_failed_machine_has_a_card_with_what_was_seen_and_what_to_do() -> None:
    found = cards(two_failed())
    assert [(card.machine, card.phase) for card in found] == [(WORKER, "iso-copy"), (OTHER, "packages")]
    assert [card.check.seen if card.check else "" for card in found] == ["no copy", "no packages"]
    assert all(card.check and "`lab seed`" in card.check.remedy for card in found)


def test_each_card_has_the_end_of_its_own_console() -> None:
    tails = {f"{name}/serial-1.log": "line\n" * 50 + f"the end of {name}\n" for name in (WORKER, OTHER)}
    assert [card.console.splitlines()[-1] for card in cards(two_failed(), tails)] == [
        f"the end of {WORKER}",
        f"the end of {OTHER}",
    ]


def test_the_screen_is_on_the_card_of_its_machine() -> None:
    first, second = cards(two_failed(), pictures={SCREEN: "AAAA"})
    assert (first.picture, first.picture_data) == (SCREEN, "AAAA")
    assert (second.picture, second.picture_data) == ("", "")


def test_a_cause_that_what_was_seen_does_not_say_is_named() -> None:
    check = dataclasses.replace(failing(), cause="the disk is full")
    run = dataclasses.replace(static(), verdicts=tuple(replaced(verdicts(), WORKER, Phase.BOOT, check)), exit_status=1)
    (card,) = cards(run)
    assert card.cause == "the disk is full"


def test_a_way_in_by_ssh_is_offered_only_where_ssh_has_worked() -> None:
    failed = dataclasses.replace(two_failed(), kept=kept().kept)
    (reached, _), unknown = cards(failed), [dataclasses.replace(one, ssh_logins=0) for one in failed.machines]
    unreached, _ = cards(dataclasses.replace(failed, machines=tuple(unknown)))
    assert (reached.enter.startswith("ssh -F "), unreached.enter) == (True, "")


def test_a_good_run_has_no_card() -> None:
    assert cards(from_events(events_of(verdicts()))) == []
