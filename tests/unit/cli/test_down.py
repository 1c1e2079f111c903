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
    left = f"left in {directory}, because not this lab's: thesis.docx\n"
    for _ in range(2):
        result = lab("down")
        assert (result.exit_code, result.output) == (0, left)
    assert left in lab("status").output
    (directory / "thesis.docx").unlink()
    assert "nothing of the lab airgap-lab" in lab("down").output
    assert "nothing of the lab airgap-lab" in lab("status").output


def test_a_vm_that_the_ledger_does_not_name_is_neither_deleted_nor_passed_over(lab: CommandLine) -> None:
    directory = lab.leave_vm()
    (lab.vms / "lab-ledger.json").unlink()
    (directory / "k3s-master1.vmx").write_text('displayName = "x"\n')
    lab.script_vmrun()
    before = files_below(directory)
    shown = lab("status")
    assert "nothing of the lab" not in shown.output
    assert f"{directory} is not in the ledger" in shown.output
    result = lab("down")
    assert result.exit_code == 1
    assert "not removed: k3s-master1" in result.stderr
    assert "lab adopt k3s-master1" in result.stderr
    assert files_below(directory) == before


def test_a_vm_of_an_earlier_program_is_named(lab: CommandLine) -> None:
    directory = lab.vms / "k3s-worker2"
    directory.mkdir(parents=True)
    (directory / "k3s-worker2.vmx").touch()
    lab.script_vmrun()
    result = lab("down")
    assert result.exit_code == 1
    assert f"{directory} is not in the ledger, and stays: k3s-worker2.vmx" in result.output
    assert files_below(directory) == [directory / "k3s-worker2.vmx"]


def test_what_runs_without_ledger_and_directory_is_named(lab: CommandLine) -> None:
    vmx = lab.vms / "k3s-master1" / "k3s-master1.vmx"
    lab.script_vmrun(running=(str(vmx), str(lab.vms.parent / "other" / "other.vmx")))
    assert lab("status").output.startswith(
        f"nothing in the ledger of {lab.vms}, but:\nrunning, and not in the ledger: {vmx}\n"
    )
    assert "other.vmx" not in lab("status").output
    result = lab("down")
    assert result.exit_code == 1
    assert f"not removed: {vmx} (not provably this lab's)" in result.stderr


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
