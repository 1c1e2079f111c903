"""Judges of cleanup: may a VM be created in a directory?"""

from __future__ import annotations

from pathlib import Path

from harness.core.verdict import Status
from harness.ownership.marker import ForeignPath, ForeignReason
from harness.phases import (
    cleanup,
)


class TestCleanup:
    VMS = Path("/vms/m1")

    def test_nothing_there_may_be_used(self) -> None:
        assert cleanup.judge_unclaimed(self.VMS, (), link=False).status is Status.PASS

    def test_what_is_in_the_ledger_may_be_removed(self) -> None:
        assert cleanup.judge_claimed(self.VMS, None).status is Status.PASS

    def test_what_is_in_the_ledger_and_is_not_ours_is_left_alone(self) -> None:
        check = cleanup.judge_claimed(self.VMS, ForeignPath(self.VMS, ForeignReason.NO_MARKER))
        assert check.status is Status.FAIL
        assert ForeignReason.NO_MARKER in check.seen

    def test_a_machine_that_is_not_in_the_ledger_is_left_alone(self) -> None:
        check = cleanup.judge_unclaimed(self.VMS, ("m1.vmx", "m1.vmdk"), link=False)
        assert check.status is Status.FAIL
        assert "m1.vmx" in check.seen
        assert "is not deleted" in check.remedy

    def test_other_files_may_stay_beside_the_machine_and_are_named(self) -> None:
        check = cleanup.judge_unclaimed(self.VMS, ("thesis.docx",), link=False)
        assert check.status is Status.PASS
        assert "kept, because not ours: thesis.docx" in check.seen

    def test_a_link_is_not_a_place_for_a_machine(self) -> None:
        assert cleanup.judge_unclaimed(self.VMS, (), link=True).status is Status.FAIL
