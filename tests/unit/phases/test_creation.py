"""Judges of creation: the VMX on disk against the plan."""

from __future__ import annotations

from harness.core.verdict import Status
from harness.phases import (
    creation,
)


class TestCreation:
    PLANNED = {"memsize": "4096", "sata0:1.startConnected": "TRUE"}  # noqa: RUF012  (never changed)

    def test_keys_are_compared_without_case_and_others_may_stand_beside(self) -> None:
        read = {"MEMSIZE": "4096", "sata0:1.startconnected": "TRUE", "vmotion.checkpointFBSize": "4"}
        assert creation.judge_vmx(self.PLANNED, read).status is Status.PASS

    def test_a_changed_and_a_missing_key_are_both_named(self) -> None:
        check = creation.judge_vmx(self.PLANNED, {"memsize": "1024"})
        assert check.status is Status.FAIL
        assert "memsize is '1024', not '4096'" in check.seen
        assert "sata0:1.startConnected is 'missing', not 'TRUE'" in check.seen

    def test_a_further_device_is_named(self) -> None:
        check = creation.judge_vmx(self.PLANNED, {**self.PLANNED, "ethernet1.present": "TRUE"})
        assert (check.status, check.seen) == (Status.FAIL, "ethernet1 is not planned")
