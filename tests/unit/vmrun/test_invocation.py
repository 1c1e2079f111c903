"""What a call adds to the output: retries, log entries, lock owners."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fake_run import FakeRun, not_started, timed_out

from harness.core.errors import ProcessError
from harness.system import process
from harness.vmrun import errors
from harness.vmrun.driver import Vmrun

from .samples import locked

UNREADABLE = "Error: Cannot open VM: {}, Cannot read the virtual machine configuration file\n"
BOX = b"2026 vmx Msg_Post: Error\n2026 vmx [msg.x] %s\n2026 vmx ----------------------------------------\n"


def cmd(*words: object) -> tuple[str, ...]:
    return ("v", "-T", "ws", *map(str, words))


@pytest.fixture
def vmx(tmp_path: Path) -> Path:
    return tmp_path / "a.vmx"


def driver(run: FakeRun) -> Vmrun:
    return Vmrun(("v",), run=run, clock=run.clock)


# -- a VMX that is being written -------------------------------------------------------------------------------------


def test_a_vmx_that_cannot_be_read_for_a_moment_is_tried_again(vmx: Path) -> None:
    run = FakeRun().on(*cmd("pause", vmx), says=(UNREADABLE.format(vmx), 255)).on(*cmd("pause", vmx), says="")
    driver(run).pause(vmx)
    assert len(run.calls) == 2
    assert 0 < run.clock.now < 1


def test_a_malformed_vmx_is_given_up_after_some_seconds(vmx: Path) -> None:
    run = FakeRun().on(*cmd("deleteVM", vmx), says=(UNREADABLE.format(vmx), 255))
    with pytest.raises(errors.VmUnreadable):
        driver(run).delete_vm(vmx)
    assert 5 <= run.clock.now < 6
    assert len(run.calls) > 5


def test_another_failure_is_not_tried_again(vmx: Path) -> None:
    run = FakeRun().on(*cmd("deleteVM", vmx), says=("Error: The file is already in use\n", 255))
    with pytest.raises(errors.VmBusy):
        driver(run).delete_vm(vmx)
    assert len(run.calls) == 1


# -- vmware.log ------------------------------------------------------------------------------------------------------


def failed_with_log(vmx: Path, before: bytes, after: bytes, *, rotated: bool = False) -> errors.OperationCanceled:
    log = vmx.parent / "vmware.log"
    if before:
        log.write_bytes(before)

    def write() -> None:
        if rotated:
            log.rename(vmx.parent / "vmware-0.log")
        log.write_bytes(after)

    run = FakeRun().on(*cmd("pause", vmx), says=("Error: The operation was canceled\n", 255), then=write)
    with pytest.raises(errors.OperationCanceled) as caught:
        driver(run).pause(vmx)
    assert caught.value.evidence == (str(log),)
    return caught.value


def test_a_reason_of_this_call(vmx: Path) -> None:
    assert "vmware.log: no disk" in failed_with_log(vmx, b"", BOX % b"no disk").what
    assert "vmware.log: no disk" in failed_with_log(vmx, b"old\n", b"old\n" + BOX % b"no disk").what


def test_a_reason_in_a_new_log_that_is_longer_than_the_old_one(vmx: Path) -> None:
    message = failed_with_log(vmx, BOX % b"long ago", BOX % b"no disk" + b"more\n" * 100, rotated=True).what
    assert "no disk" in message
    assert "long ago" not in message


def test_a_reason_of_an_earlier_call_is_not_taken_for_this_one(vmx: Path) -> None:
    assert "long ago" not in failed_with_log(vmx, BOX % b"long ago", BOX % b"long ago").what


# -- locks -----------------------------------------------------------------------------------------------------------


def test_who_holds_a_machine_that_is_in_use(vmx: Path) -> None:
    locked(vmx, f"\x01\x00host {os.getpid()}-133712345678(vmware.exe)\x00\x00")
    run = FakeRun().on(*cmd("deleteVM", vmx), says=("Error: The file is already in use\n", 255))
    with pytest.raises(errors.VmBusy) as caught:
        driver(run).delete_vm(vmx)
    assert f"lock: a.vmx.lck of vmware.exe, process {os.getpid()}" in caught.value.detail


def test_a_vmrun_that_was_ended_says_which_locks_it_left(vmx: Path) -> None:
    (vmx.parent / "a.vmdk.lck").mkdir()
    run = FakeRun().on(*cmd("suspend", vmx, "hard"), says=timed_out())
    run.effects[cmd("suspend", vmx, "hard")] = lambda: locked(vmx, "4194999-1(vmware-vmx)")
    with pytest.raises(errors.VmrunTimeout) as caught:
        driver(run).suspend(vmx)
    assert caught.value.detail == "left behind: a.vmx.lck of vmware-vmx, process 4194999, which is gone"


# -- the end of a call -----------------------------------------------------------------------------------------------


def test_a_vmrun_that_never_ends_is_a_timeout_and_one_that_cannot_start_is_not() -> None:
    run = FakeRun().on(*cmd("list"), says=timed_out())
    with pytest.raises(errors.VmrunTimeout, match="vmrun list"):
        driver(run).list_running()
    run = FakeRun().on(*cmd("list"), says=not_started())
    with pytest.raises(errors.VmrunUnavailable, match="Permission denied"):
        driver(run).list_running()


def test_the_real_process_door_gives_the_same_two_errors(tmp_path: Path) -> None:
    with pytest.raises(errors.VmrunUnavailable):
        Vmrun((str(tmp_path / "absent"),)).list_running()
    with pytest.raises(ProcessError) as caught:
        process.run([__import__("sys").executable, "-c", "import time; time.sleep(60)"], timeout_s=0.2)
    assert not isinstance(caught.value.__cause__, OSError)
