from __future__ import annotations

from harness.lab.selection import lock
from harness.ownership.marker import ForeignReason

from .command_line import CommandLine, files_below


def test_the_vms_of_the_ledger_are_deleted_and_foreign_files_stay(lab: CommandLine) -> None:
    directory = lab.leave_vm()
    lab.script_vmrun()
    result = lab("down")
    assert (result.exit_code, result.output) == (
        0,
        f"k3s-master1: removed\n  left alone: {directory / 'thesis.docx'} ({ForeignReason.NAME})\n",
    )
    assert [path.name for path in files_below(lab.vms)] == ["k3s-master1", "thesis.docx"]
    assert "nothing of the lab airgap-lab" in lab("down").output


def test_expired_waits_for_the_time_of_the_lab(lab: CommandLine) -> None:
    directory = lab.leave_vm()
    lab.script_vmrun()
    assert "the lab is kept without end" in lab("down", "--expired").output
    lab.ledger.keep_until("2999-01-01T00:00:00+00:00")
    assert "kept until 2999-01-01T00:00:00+00:00" in lab("down", "--expired").output
    assert (directory / "k3s-master1.vmdk").exists()
    lab.ledger.keep_until("2001-01-01T00:00:00+00:00")
    assert "which is over: lab down --expired" in lab("status").output
    assert "k3s-master1: removed" in lab("down", "--expired").output
    assert not (directory / "k3s-master1.vmdk").exists()


def test_a_lab_that_another_session_works_on_is_not_touched(lab: CommandLine) -> None:
    lab.leave_vm()
    before = files_below(lab.vms)
    with lock(lab.select(lab.file)):
        result = lab("down")
    assert result.exit_code == 4
    assert "being worked on by another session" in result.stderr
    assert files_below(lab.vms) == before


def test_the_directory_of_another_lab_is_not_touched(lab: CommandLine) -> None:
    lab.leave_vm()
    lab.edit("name: airgap-lab", "name: second-lab")
    before = files_below(lab.vms)
    result = lab("down")
    assert result.exit_code == 1
    assert "this directory belongs to the lab 'airgap-lab', not to 'second-lab'" in result.stderr
    assert files_below(lab.vms) == before
