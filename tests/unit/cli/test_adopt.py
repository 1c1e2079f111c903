from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from needs import links

from harness.cli.main import main
from harness.ownership.marker import read_marker, write_marker

from .command_line import CommandLine, files_below

NAME = "k3s-master1"


def leave_old_vm(lab: CommandLine, name: str = NAME) -> Path:
    """Leave a VM as an earlier program did, with a note beside it."""
    directory = lab.vms / name
    directory.mkdir(parents=True)
    (directory / f"{name}.vmx").write_text('uuid.bios = "56 4d 78 e2 0f a2 9f 22-1e f7 c3 b8 c2 d3 b8 d5"\n')
    for file in (f"{name}.vmdk", f"{name}-s001.vmdk", "vmware.log", "notes.txt"):
        (directory / file).write_text("x")
    return directory


def test_what_is_handed_over_is_shown_and_then_removed_by_down(lab: CommandLine) -> None:
    directory = leave_old_vm(lab)
    lab.script_vmrun((("deleteVM", str(directory / f"{NAME}.vmx")), ""))
    before = files_below(directory)
    result = lab("adopt", NAME, "--yes")
    assert result.exit_code == 0, result.output
    for name in (f"{NAME}.vmx", f"{NAME}.vmdk", f"{NAME}-s001.vmdk", "vmware.log"):
        assert f"  would be deleted: {name} (" in result.output
    assert f"  stays: {directory / 'notes.txt'} (" in result.output
    assert f"{NAME}: {directory} (off, 4 files, " in result.output
    assert f"{NAME}: handed over; delete it with `lab down`" in result.output
    machine = lab.ledger.machine(NAME)
    assert machine is not None
    assert machine.nonce == "564d78e20fa29f221ef7c3b8c2d3b8d5"
    assert read_marker(directory) == machine.token
    assert [path for path in files_below(directory) if path.name != "airgap-lab.json"] == before
    assert "removed" in lab("down").output
    assert [path.name for path in files_below(directory)] == ["notes.txt"]


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_nothing_is_handed_over_without_confirmation(lab: CommandLine, answer: str) -> None:
    directory = leave_old_vm(lab)
    lab.script_vmrun()
    before = files_below(lab.vms)
    words = ["adopt", "--lab", str(lab.file)]
    result = CliRunner().invoke(main, words, obj=lab.replacements, input=answer)
    assert f"Let the lab airgap-lab delete {NAME} from now on?" in result.output
    assert f"  would be deleted: {NAME}.vmdk" in result.output
    assert files_below(lab.vms) == before
    assert lab.ledger.machines() == ()
    assert directory.is_dir()


def test_a_yes_hands_all_over_that_are_not_in_the_ledger(lab: CommandLine) -> None:
    leave_old_vm(lab)
    leave_old_vm(lab, "k3s-worker1")
    lab.script_vmrun()
    words = ["adopt", "--lab", str(lab.file)]
    result = CliRunner().invoke(main, words, obj=lab.replacements, input="y\n")
    assert result.exit_code == 0, result.output
    assert [machine.name for machine in lab.ledger.machines()] == [NAME, "k3s-worker1"]
    assert "no machine to hand over" in lab("adopt", "--yes").output
    assert "is in the ledger already" in lab("adopt", NAME, "--yes").stderr


def refused(lab: CommandLine, *, code: int = 1, name: str = NAME) -> str:
    """Try to hand it over beside a good one; return why nothing was."""
    lab.script_vmrun()
    leave_old_vm(lab, "k3s-worker1")
    before = files_below(lab.vms)
    result = lab("adopt", name, "k3s-worker1", "--yes")
    assert result.exit_code == code
    assert files_below(lab.vms) == before
    assert lab.ledger.machines() == ()
    return str(result.stderr)


def test_a_name_that_is_not_of_the_lab_is_wrong_input(lab: CommandLine) -> None:
    assert "no machine of this lab: ../other" in refused(lab, code=4, name="../other")


@links
def test_a_link_is_refused(lab: CommandLine) -> None:
    directory = leave_old_vm(lab)
    directory.rename(lab.vms / "elsewhere")
    directory.symlink_to(lab.vms / "elsewhere", target_is_directory=True)
    assert "it is a link" in refused(lab)


def test_a_directory_without_a_vm_is_refused(lab: CommandLine) -> None:
    assert "there is no such directory" in refused(lab)
    (lab.vms / NAME).mkdir()
    lab.script_vmrun()
    assert "k3s-master1.vmx is not in it" in lab("adopt", NAME, "--yes").stderr


def test_a_vmx_that_cannot_be_read_is_refused(lab: CommandLine) -> None:
    (leave_old_vm(lab) / f"{NAME}.vmx").write_bytes(b'.encoding = "no-such-charset"\n')
    assert "k3s-master1.vmx cannot be read" in refused(lab)


def test_the_vm_of_another_lab_is_refused(lab: CommandLine) -> None:
    write_marker(leave_old_vm(lab), f"run-1/{NAME}", "made by the lab other; `lab down` removes it")
    assert "another lab's marker is in it" in refused(lab)


def test_a_vm_of_this_lab_whose_ledger_was_lost_is_taken(lab: CommandLine) -> None:
    write_marker(leave_old_vm(lab), f"run-1/{NAME}", "made by the lab airgap-lab; `lab down` removes it")
    lab.script_vmrun()
    assert lab("adopt", "--yes").exit_code == 0
    assert lab.ledger.machine(NAME) is not None


def test_a_vm_that_another_program_has_open_is_refused(lab: CommandLine) -> None:
    lock = leave_old_vm(lab) / f"{NAME}.vmx.lck"
    lock.mkdir()
    (lock / "M12345.lck").write_text(f"host {os.getpid()}-2.0(vmware.exe)")
    assert "another program has it open" in refused(lab)


def test_a_running_vm_is_shown_as_such(lab: CommandLine) -> None:
    directory = leave_old_vm(lab)
    lab.script_vmrun(running=(str(directory / f"{NAME}.vmx"),))
    assert f"{NAME}: {directory} (running, 4 files" in lab("adopt", "--yes").output
    reported = json.loads(lab("status", "--json").output)
    assert [(item["name"], item["state"]) for item in reported["machines"]] == [(NAME, "running")]


def test_a_vm_whose_disks_a_linked_clone_uses_is_refused(lab: CommandLine) -> None:
    directory = leave_old_vm(lab)
    (lab.vms / "clone.vmx").write_text('displayName = "clone"\n')
    (directory / f"{NAME}.vmsd").write_text('snapshot0.clone0 = "../clone.vmx"\n')
    assert "uses its disks" in refused(lab)
