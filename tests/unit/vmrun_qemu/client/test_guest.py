"""Questions to the guest by way of the supervisor."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from fake_agent import in_step, refuses, supervised

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.client import supervisor
from harness.vmrun_qemu.client.guest import Guest, GuestRefusedError, GuestSilentError


def test_the_supervisor_passes_questions_on_and_answers_back() -> None:
    with supervised(in_step) as record, Guest(record) as guest:
        assert guest.state() == "running"
        assert guest.ask("guest-info") == {"asked": "guest-info"}
        guest.send("guest-shutdown", {"mode": "reboot"})
        assert guest.ask("guest-info", {"a": 1}) == {"asked": "guest-info"}


def test_the_supervisor_distinguishes_a_refusal_from_silence() -> None:
    def some_refuse(question: dict[str, Any]) -> bytes:
        return b"" if question["execute"] == "guest-silent" else refuses(question)

    with supervised(some_refuse) as record, Guest(record) as guest:
        with pytest.raises(GuestRefusedError, match="disabled"):
            guest.ask("guest-exec")
        with pytest.raises(GuestSilentError):
            guest.ask("guest-silent", limit_s=0.1)


def test_a_supervisor_that_is_gone_is_a_silent_guest(tmp_path: Path) -> None:
    with supervised(in_step) as record:
        record["service"] = str(tmp_path / "none")
    with pytest.raises(GuestSilentError):
        Guest(record)


def test_a_machine_that_an_older_version_started_has_a_silent_guest() -> None:
    with supervised(in_step) as record:
        old = {key: value for key, value in record.items() if key != "service"}
    with pytest.raises(GuestSilentError, match="older version"):
        Guest(cast("Record", old))
    with pytest.raises(Failure, match="did not answer: it is of an older version"):
        supervisor.request(cast("Record", old), "pause", 5)
