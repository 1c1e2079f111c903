"""The driver `Vmrun` on the same benches and answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from vmrun_contract.behaviour import behaviour
from vmrun_contract.bench import Bench
from vmrun_contract.guests import Guest
from vmrun_contract.states import started

from harness.core.deadline import Deadline
from harness.core.secret import Secret
from harness.vmrun import errors
from harness.vmrun.driver import CloneKind, Vmrun
from harness.vmrun.invocation import GuestLogin
from harness.vmrun.parse import Display, StopMode, ToolsState
from harness.vmrun.paths import GuestPath
from harness.vmrun.power import PowerState
from harness.vmrun.snapshots import Snapshot, SnapshotTree


def driver(bench: Bench) -> Vmrun:
    return Vmrun(bench.argv, env=bench.env, run=bench.run, clock=bench.clock, platform=bench.platform)


@behaviour("start stop list", "the driver: `start` is true once, `stop_and_verify` leaves it off and unlocked", "T")
def test_the_driver_starts_and_stops_a_machine(bench: Bench) -> None:
    vm = Path(bench.machine("one"))
    vmrun = driver(bench)
    assert vmrun.start(vm, Display.NOGUI)
    assert not vmrun.start(vm, Display.NOGUI)
    assert vmrun.stop_and_verify(vm, Deadline(60), soft_s=0) is StopMode.HARD
    assert not vmrun.is_running(vm)
    assert vmrun.stop_and_verify(vm, Deadline(60), soft_s=0) is None


@behaviour("stop getGuestIPAddress checkToolsState", "the driver: a machine that is off is VmNotPoweredOn", "T")
def test_the_driver_knows_a_machine_that_is_off(bench: Bench) -> None:
    vm = Path(bench.machine("one"))
    vmrun = driver(bench)
    assert not vmrun.stop(vm, StopMode.HARD)
    with pytest.raises(errors.VmNotPoweredOn):
        vmrun.guest_ip_address(vm)
    assert vmrun.check_tools_state(vm) is ToolsState.UNKNOWN


@behaviour("start", "the driver: a VMX that is not there is VmNotFound, a malformed one VmUnreadable", "T")
def test_the_driver_knows_a_machine_that_cannot_be_opened(bench: Bench) -> None:
    vmrun = driver(bench)
    with pytest.raises(errors.VmNotFound):
        vmrun.start(Path(bench.vm("nobody")))
    broken = bench.vm("broken")
    bench.write(broken, "this is no setting\n")
    with pytest.raises(errors.VmUnreadable):  # asked again for a moment: VMware may be writing it
        vmrun.start(Path(broken))


@behaviour("getGuestIPAddress", "the driver: without Tools there is ToolsNotRunning, not an address", "T")
def test_the_driver_knows_that_tools_do_not_answer(bench: Bench) -> None:
    vm = Path(started(bench))
    with pytest.raises(errors.ToolsNotRunning):
        driver(bench).guest_ip_address(vm)


@behaviour("", "the driver: version and build stand above the usage", "T")
def test_the_driver_reads_the_version(bench: Bench) -> None:
    version = driver(bench).version()
    assert version is not None
    assert version.version == "1.17.0"
    assert version.build > 0


@behaviour("suspend start", "the driver: a suspended machine is SUSPENDED and unlocked, and `start` lets it go on", "T")
def test_the_driver_suspends_and_resumes_a_machine(bench: Bench) -> None:
    vm = Path(started(bench))
    vmrun = driver(bench)
    vmrun.suspend(vm, deadline=Deadline(120))
    assert vmrun.power_state(vm) is PowerState.SUSPENDED
    with pytest.raises(errors.VmNotPoweredOn):
        vmrun.guest_ip_address(vm)
    assert vmrun.start(vm)
    assert vmrun.power_state(vm) is PowerState.RUNNING


@behaviour("suspend pause unpause stop", "the driver: `stop_and_verify` switches off what is paused or suspended", "T")
def test_the_driver_switches_off_a_machine_in_any_state(bench: Bench) -> None:
    vm = Path(started(bench))
    vmrun = driver(bench)
    vmrun.pause(vm)
    assert vmrun.stop_and_verify(vm, Deadline(120), soft_s=5) is StopMode.HARD
    assert vmrun.power_state(vm) is PowerState.OFF
    vmrun.start(vm)
    vmrun.suspend(vm, deadline=Deadline(120))
    assert vmrun.stop_and_verify(vm, Deadline(120)) is StopMode.HARD
    assert vmrun.power_state(vm) is PowerState.OFF


@behaviour(
    "snapshot listSnapshots revertToSnapshot deleteSnapshot",
    "the driver: the tree is read, a revert leaves the machine not running, what is deleted is gone",
    "T",
)
def test_the_driver_takes_reverts_and_deletes_snapshots(bench: Bench) -> None:
    vm = Path(bench.machine("one"))
    vmrun = driver(bench)
    snapshots = vmrun.snapshots(vm)
    snapshots.take("clean base")
    vmrun.start(vm)
    snapshots.take("running")
    assert snapshots.tree() == SnapshotTree((Snapshot("clean base", (Snapshot("running"),)),))
    assert snapshots.revert("clean base", deadline=Deadline(120)) is PowerState.OFF
    assert snapshots.revert("running", deadline=Deadline(120)) is PowerState.SUSPENDED
    with pytest.raises(errors.SnapshotExists):
        snapshots.take("Running")
    with pytest.raises(errors.SnapshotMissing):
        snapshots.delete("nope")
    snapshots.delete("clean base", with_children=True)
    assert snapshots.tree().names == ()


@behaviour("clone deleteSnapshot deleteVM", "the driver: what a linked clone reads is not deleted, the clone is", "TP")
def test_the_driver_keeps_what_a_clone_reads(bench: Bench) -> None:
    vm, clone = Path(bench.machine("one")), Path(bench.vm("copy"))
    vmrun = driver(bench)
    vmrun.snapshots(vm).take("base")
    vmrun.clone(vm, clone, CloneKind.LINKED, snapshot="base")
    with pytest.raises(errors.ClonesDepend):
        vmrun.snapshots(vm).delete("base")
    with pytest.raises(errors.ClonesDepend):
        vmrun.delete_vm(vm)
    vmrun.delete_vm(clone)
    vmrun.snapshots(vm).delete("base")


@pytest.mark.guest
@behaviour(
    "runProgramInGuest runScriptInGuest fileExistsInGuest listProcessesInGuest CopyFileFromGuestToHost",
    "the driver: exit statuses, files and processes of a guest",
    "TP",
)
def test_the_driver_works_in_a_guest(bench: Bench, guest: Guest, tmp_path: Path) -> None:
    user, password = guest.login
    inside = driver(bench).guest(Path(guest.vm), GuestLogin(user, Secret(password)))
    system = guest.system
    shell, written = GuestPath(system.shell), GuestPath(f"{system.temporary}driver.txt")
    command = f"echo seen > {written}"
    assert inside.run_program(shell, f"{system.option} {command}" if system.one_word else [system.option, command]) == 0
    assert inside.file_exists(written)
    inside.copy_from_guest(written, tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8").strip() == "seen"
    assert inside.run_script(None if system.one_word else shell, "exit 7") == 7
    assert any(process.pid > 0 and process.owner for process in inside.list_processes())
    inside.delete_file(written)
    assert not inside.file_exists(written)
    with pytest.raises(errors.FileNotFound):
        inside.run_program(GuestPath(f"{system.temporary}nothing"))
    with pytest.raises(errors.GuestLoginFailed):
        driver(bench).guest(Path(guest.vm), GuestLogin(user, Secret(password + "x"))).list_processes()
