"""Requests to the supervisor of a running VM."""

from __future__ import annotations

import pytest
from fake_agent import in_step, supervised

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.client import supervisor


def test_the_supervisor_carries_out_operations_or_reports_why_not() -> None:
    with supervised(in_step) as record:
        supervisor.request(record, "pause", 5)
        with pytest.raises(Failure, match=r"^cannot fly home$"):
            supervisor.request(record, "fly", 5, what="home")
    with pytest.raises(Failure, match="did not answer"):
        supervisor.request(record, "pause", 5)


def test_an_operation_that_breaks_is_reported_and_the_next_one_is_carried_out() -> None:
    with supervised(in_step) as record:
        with pytest.raises(Failure, match="Unknown error: KeyError: 'key'"):
            supervisor.request(record, "break", 5)
        supervisor.request(record, "pause", 5)
