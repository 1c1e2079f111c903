"""The driver `Vmrun` over the same benches: what it makes of the same answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from vmrun_contract.behaviour import behaviour
from vmrun_contract.bench import Bench
from vmrun_contract.states import started

from harness.vmrun import Display, StopMode, ToolsState, Vmrun, errors
from harness.wait import Deadline


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
