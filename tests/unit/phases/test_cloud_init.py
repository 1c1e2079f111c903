"""Judges of cloud-init: its own result becomes a check."""

from __future__ import annotations

import json

import pytest

from harness.config.model import Recoverable
from harness.core.verdict import Status
from harness.guest.channel import CommandResult
from harness.guest.serial import GuestEvent
from harness.machine.context import RunContext
from harness.phases import (
    cloud_init,
)

from .fake_machine import FakeMachine


def command_result(stdout: str, exit_status: int = 0, stderr: str = "") -> CommandResult:
    return CommandResult("cloud-init status --format=json", exit_status, stdout, stderr, 0.1)


class TestCloudInit:
    DONE = json.dumps({"status": "done", "errors": [], "detail": "DataSourceNoCloud"})

    def judge(self, result: CommandResult, policy: Recoverable = Recoverable.FAIL) -> Status:
        return cloud_init.judge_result(result, cloud_init.parse_status(result.stdout), policy).status

    def test_done_without_errors(self) -> None:
        assert self.judge(command_result(self.DONE)) is Status.PASS

    def test_text_around_the_json_is_tolerated(self) -> None:
        assert self.judge(command_result(f"....\n{self.DONE}\n")) is Status.PASS

    @pytest.mark.parametrize("state", ["running", "error", "disabled", "not run"])
    def test_any_other_state_fails(self, state: str) -> None:
        assert self.judge(command_result(json.dumps({"status": state, "errors": []}))) is Status.FAIL

    def test_the_remedy_has_the_path_of_the_logs(self) -> None:
        for text in ("no json", json.dumps({"status": "error", "errors": ["boom"]})):
            result = command_result(text, exit_status=1)
            status = cloud_init.parse_status(result.stdout)
            check = cloud_init.judge_result(result, status, Recoverable.FAIL, "cloud-init.log in /reports/r/m")
            assert "read cloud-init.log in /reports/r/m" in check.remedy

    def test_an_error_fails_and_is_shown(self) -> None:
        result = command_result(json.dumps({"status": "error", "errors": ["('runcmd', no)"]}), exit_status=1)
        check = cloud_init.judge_result(result, cloud_init.parse_status(result.stdout), Recoverable.ACCEPT)
        assert check.status is Status.FAIL
        assert "('runcmd', no)" in check.seen

    @pytest.mark.parametrize(("policy", "status"), [(Recoverable.FAIL, Status.FAIL), (Recoverable.ACCEPT, Status.PASS)])
    def test_recoverable_errors_are_shown_and_judged_by_the_policy(self, policy: Recoverable, status: Status) -> None:
        text = json.dumps({"status": "done", "errors": [], "recoverable_errors": {"WARNING": ["old key"]}})
        result = command_result(text, exit_status=2)
        check = cloud_init.judge_result(result, cloud_init.parse_status(text), policy)
        assert check.status is status
        assert "WARNING: old key" in check.seen

    @pytest.mark.parametrize("text", ["", "status: done", "{broken", "[1]"])
    def test_no_json_is_not_proven(self, text: str) -> None:
        assert self.judge(command_result(text)) is Status.NOT_PROVEN


RESULT, ON = "/run/cloud-init/result.json", "/run/cloud-init/enabled"
OFF, STATE, FOUND = "/etc/cloud/cloud-init.disabled", "is-system-running", ""
HANDED_OVER = "99-installer.cfg"
# What the guests of Ubuntu's releases say at the end of their first and of a later boot. 23.4 to 24.1 of cloud-init,
# which 24.04 shipped with, warn of the fallback; from 22.10 on the first boot switches cloud-init off.
WARNED = {"detail": "DataSourceNone", "recoverable_errors": {"WARNING": ["Used fallback datasource"]}}
SILENT = {"detail": "DataSourceNone", "recoverable_errors": {}}
RELEASES = {
    "20.04": (SILENT, {RESULT: FOUND}),
    "22.04": (SILENT, {RESULT: FOUND}),
    "24.04 as released": (WARNED, {OFF: FOUND, STATE: "running\n"}),
    "24.04 updated": (SILENT, {OFF: FOUND, STATE: "running\n"}),
    "25.10": (SILENT, {OFF: FOUND, STATE: "degraded\n"}),
}


def waited(fake: FakeMachine) -> bool:
    """Return whether the wait ends at its first look."""
    try:
        cloud_init.wait_until_finished(fake.machine, "boot-1", fake.deadline(1))
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("release", RELEASES)
def test_the_first_and_a_later_boot_of_a_healthy_ubuntu_end_well(context: RunContext, release: str) -> None:
    said_first, later = RELEASES[release]
    answers = {RESULT: FOUND, HANDED_OVER: FOUND, "cat ": "done\n"}
    status = json.dumps({"status": "done", "errors": []} | said_first)
    first = FakeMachine(context, answers={**answers, "cloud-init status": status}, sends_events=False)
    assert [check.status for check in cloud_init.run(first.machine, context.plan.spec.deadlines_s)] == [Status.PASS] * 3
    assert waited(FakeMachine(context, answers=later, sends_events=False))


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {OFF: FOUND, ON: FOUND, STATE: "running\n"},
        {OFF: FOUND, STATE: "starting\n"},
        {OFF: FOUND, STATE: "initializing\n"},
        {STATE: "running\n"},
    ],
    ids=["nothing yet", "switched off for the next boot", "boots", "begins to boot", "on, and not done"],
)
def test_a_boot_whose_end_was_not_seen_is_waited_for(context: RunContext, answers: dict[str, str]) -> None:
    assert not waited(FakeMachine(context, answers=answers, sends_events=False))


@pytest.mark.parametrize(
    ("ours", "handed_over", "texts", "status"),
    [
        (False, True, ["Used fallback datasource"], Status.PASS),
        (False, False, ["Used fallback datasource"], Status.FAIL),
        (True, True, ["Used fallback datasource"], Status.FAIL),
        (False, True, ["Used fallback datasource", "an old key"], Status.FAIL),
    ],
    ids=["wanted", "by accident", "our own seed", "and another warning"],
)
def test_the_fallback_data_source_is_right_only_where_ubuntus_installer_set_it(
    context: RunContext, *, ours: bool, handed_over: bool, texts: list[str], status: Status
) -> None:
    reply = {"status": "done", "errors": [], "detail": "DataSourceNone", "recoverable_errors": {"WARNING": texts}}
    answers = {RESULT: FOUND, "cat ": "done\n", "cloud-init status": json.dumps(reply)}
    answers |= {HANDED_OVER: FOUND} if handed_over else {}
    events = [GuestEvent("boot-complete", "n", "")]
    fake = FakeMachine(context, answers=answers, events=events, sends_events=ours)
    checks = list(cloud_init.run(fake.machine, context.plan.spec.deadlines_s))
    assert checks[1].status is status
