"""Judges of cloud-init: its own result becomes a check."""

from __future__ import annotations

import json

import pytest

from harness.config.model import Recoverable
from harness.core.verdict import Status
from harness.guest.channel import CommandResult
from harness.phases import (
    cloud_init,
)


def said(stdout: str, exit_status: int = 0, stderr: str = "") -> CommandResult:
    return CommandResult("cloud-init status --format=json", exit_status, stdout, stderr, 0.1)


class TestCloudInit:
    DONE = json.dumps({"status": "done", "errors": [], "detail": "DataSourceNoCloud"})

    def judge(self, result: CommandResult, policy: Recoverable = Recoverable.FAIL) -> Status:
        return cloud_init.judge_result(result, cloud_init.parse_status(result.stdout), policy).status

    def test_done_without_errors(self) -> None:
        assert self.judge(said(self.DONE)) is Status.PASS

    def test_text_around_the_json_is_tolerated(self) -> None:
        assert self.judge(said(f"....\n{self.DONE}\n")) is Status.PASS

    @pytest.mark.parametrize("state", ["running", "error", "disabled", "not run"])
    def test_any_other_state_fails(self, state: str) -> None:
        assert self.judge(said(json.dumps({"status": state, "errors": []}))) is Status.FAIL

    def test_the_remedy_has_the_path_of_the_logs(self) -> None:
        for text in ("no json", json.dumps({"status": "error", "errors": ["boom"]})):
            result = said(text, exit_status=1)
            status = cloud_init.parse_status(result.stdout)
            check = cloud_init.judge_result(result, status, Recoverable.FAIL, "cloud-init.log in /reports/r/m")
            assert "read cloud-init.log in /reports/r/m" in check.remedy

    def test_an_error_fails_and_is_shown(self) -> None:
        result = said(json.dumps({"status": "error", "errors": ["('runcmd', no)"]}), exit_status=1)
        check = cloud_init.judge_result(result, cloud_init.parse_status(result.stdout), Recoverable.ACCEPT)
        assert check.status is Status.FAIL
        assert "('runcmd', no)" in check.seen

    @pytest.mark.parametrize(("policy", "status"), [(Recoverable.FAIL, Status.FAIL), (Recoverable.ACCEPT, Status.PASS)])
    def test_recoverable_errors_are_shown_and_judged_by_the_policy(self, policy: Recoverable, status: Status) -> None:
        text = json.dumps({"status": "done", "errors": [], "recoverable_errors": {"WARNING": ["old key"]}})
        result = said(text, exit_status=2)
        check = cloud_init.judge_result(result, cloud_init.parse_status(text), policy)
        assert check.status is status
        assert "WARNING: old key" in check.seen

    @pytest.mark.parametrize("text", ["", "status: done", "{broken", "[1]"])
    def test_no_json_is_not_proven(self, text: str) -> None:
        assert self.judge(said(text)) is Status.NOT_PROVEN
