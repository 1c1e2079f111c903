"""A running machine whose files are deleted is removed all the same."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from qemu_lab import Vmrun, eventually, vmrun_fixture  # noqa: F401 - pytest finds the fixture here

from harness.core.deadline import Deadline
from harness.machine.removal import remove_machine
from harness.ownership.lab_processes import find_lab_processes
from harness.ownership.ledger import Ledger, MachineEntry
from harness.ownership.marker import write_marker
from harness.vmrun.driver import Vmrun as Driver

NONCE = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("whole", [True, False])
def test_a_running_machine_whose_files_were_deleted_is_ended_and_leaves_nothing(
    vmrun: Vmrun, tmp_path: Path, whole: bool
) -> None:
    vmx = vmrun.machine("one", f'uuid.bios = "{NONCE}"\nserial0.fileName = "serial-1.log"\n')
    book = Ledger(tmp_path / "ledger.json", "lab")
    machine = MachineEntry("one", str(vmx.parent), "run-1", nonce=NONCE)
    book.write(machine)
    write_marker(vmx.parent, machine.token, "about")
    vmrun.ok("start", vmx, "nogui")
    if whole:
        shutil.rmtree(vmx.parent)
    else:
        vmx.unlink()
    assert vmrun("stop", vmx, "hard")[0] == 255
    assert str(vmx) in vmrun.ok("list")

    driver = Driver((sys.executable, "-m", "harness.vmrun_qemu"), env=vmrun.environment)
    assert remove_machine(driver, book, machine, Deadline(60)).left == ()

    assert vmrun.ok("list") == "Total running VMs: 0\n"
    assert not vmx.parent.exists()
    assert book.machines() == ()
    assert eventually(lambda: vmrun.processes() == [])


def test_a_machine_whose_directory_and_home_were_deleted_is_found_and_ended(vmrun: Vmrun, tmp_path: Path) -> None:
    vmx = vmrun.machine("one", "")
    vmrun.ok("start", vmx, "nogui")
    home = Path(vmrun.environment["VMRUN_QEMU_HOME"])
    sockets = [Path(vmrun.record(vmx)["socket_dir"]), Path(vmrun.switch()["socket_dir"])]
    assert all(directory.is_dir() for directory in sockets)
    found = find_lab_processes(tmp_path, ("VMRUN_QEMU_HOME", home))
    assert vmx in [process.vmx for process in found]
    shutil.rmtree(vmx.parent)
    shutil.rmtree(home)
    assert [process.end() for process in found] == [True] * len(found)
    assert eventually(lambda: vmrun.processes() == [])
    assert [directory for directory in sockets if directory.exists()] == []
