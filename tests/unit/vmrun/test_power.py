from __future__ import annotations

import os
from pathlib import Path

import pytest
from fake_run import FakeClock, FakeRun, timed_out

from harness.core.deadline import Deadline
from harness.core.errors import DeadlineExpired
from harness.vmrun import errors
from harness.vmrun.driver import Vmrun as Driver
from harness.vmrun.parse import Display, StopMode
from harness.vmrun.power import PowerState

from .samples import MINUS_ONE, NONE, ONE, VMX, cmd, off, windows

# -- start -----------------------------------------------------------------------------------------------------------


def test_start_asks_list_first_and_is_without_window_by_default() -> None:
    run = FakeRun().on(*cmd("list"), says=NONE).on(*cmd("start", VMX, "nogui"))
    assert windows(run).start(Path(VMX)) is True
    assert run.calls == [cmd("list"), cmd("start", VMX, "nogui")]
    assert run.timeouts == [30, 600]


def test_a_double_start_is_not_passed_on() -> None:
    run = FakeRun().on(*cmd("list"), says=ONE)
    assert windows(run).start(Path(VMX), Display.GUI) is False
    assert run.calls == [cmd("list")]


def test_a_start_that_another_process_won() -> None:
    output = b"Error: The virtual machine should not be powered on. It is already running.\r\n", MINUS_ONE
    run = FakeRun().on(*cmd("list"), says=NONE).on(*cmd("start", VMX, "gui"), says=output)
    assert windows(run).start(Path(VMX), Display.GUI) is False


def test_a_start_that_hangs_counts_by_what_list_says() -> None:
    run = FakeRun().on(*cmd("list"), says=NONE).on(*cmd("list"), says=ONE)
    run.on(*cmd("start", VMX, "nogui"), says=timed_out())
    assert windows(run).start(Path(VMX)) is True
    run = FakeRun().on(*cmd("list"), says=NONE).on(*cmd("start", VMX, "nogui"), says=timed_out())
    with pytest.raises(errors.VmrunTimeout):
        windows(run).start(Path(VMX))


@pytest.mark.parametrize("code", [0, 1, 127, 255, MINUS_ONE])
def test_error_on_stdout_is_a_failure_whatever_the_exit_status(code: int) -> None:
    run = FakeRun().on(*cmd("list"), says=NONE)
    run.on(*cmd("start", VMX, "nogui"), says=(b"Error: The file is already in use\r\n", code))
    with pytest.raises(errors.VmBusy) as caught:
        windows(run).start(Path(VMX))
    assert caught.value.where == VMX
    assert "lab down" in caught.value.remedy


def test_a_silent_failure_is_a_failure() -> None:
    run = FakeRun().on(*cmd("list"), says=NONE).on(*cmd("start", VMX, "nogui"), says=("", 1))
    with pytest.raises(errors.UnknownFailure):
        windows(run).start(Path(VMX))


def test_a_canceled_start_has_its_reason_from_vmware_log(tmp_path: Path) -> None:
    vmx, log = tmp_path / "a.vmx", tmp_path / "vmware.log"
    written = (
        b"2026-01-01T10:00:00.000Z In(05) vmx Msg_Post: Error\r\n"
        b"2026-01-01T10:00:00.000Z In(05) vmx [msg.old] an older box\r\n"
        b"2026-01-01T10:00:00.000Z In(05) vmx ----------------------------------------\r\n"
        b"2026-01-01T10:00:01.000Z In(05) vmx Msg_Post: Error\r\n"
        b"2026-01-01T10:00:01.000Z In(05) vmx [msg.disk.noBackEnd] Cannot open the disk 'a.vmdk'.\r\n"
        b"2026-01-01T10:00:01.000Z In(05) vmx It is \xb0 locked.\r\n"
        b"2026-01-01T10:00:01.000Z In(05) vmx ----------------------------------------\r\n"
        b"2026-01-01T10:00:02.000Z In(05) vmx Module DiskEarly power on failed.\r\n"
    )
    run = FakeRun().on("v", "-T", "ws", "list", says="Total running VMs: 0\n")
    run.on("v", "-T", "ws", "start", str(vmx), "nogui", says=("Error: The operation was canceled\n", 255))
    run.effects["v", "-T", "ws", "start", str(vmx), "nogui"] = lambda: log.write_bytes(written)
    with pytest.raises(errors.OperationCanceled) as caught:
        Driver(("v",), run=run).start(vmx)
    assert "Cannot open the disk 'a.vmdk'. It is" in caught.value.what
    assert "older box" not in caught.value.what
    assert "Module" not in caught.value.what
    assert caught.value.evidence == (str(tmp_path / "vmware.log"),)


# -- stop ------------------------------------------------------------------------------------------------------------


def test_stop_and_a_stop_that_already_happened() -> None:
    run = FakeRun().on(*cmd("stop", VMX, "soft")).on(*cmd("stop", VMX, "hard"), says=off())
    assert windows(run).stop(Path(VMX), StopMode.SOFT) is True
    assert windows(run).stop(Path(VMX), StopMode.HARD) is False


def test_a_soft_stop_that_works() -> None:
    run = FakeRun().on(*cmd("list"), says=ONE).on(*cmd("list"), says=ONE).on(*cmd("list"), says=NONE)
    run.on(*cmd("stop", VMX, "soft"))
    assert windows(run).stop_and_verify(Path(VMX), Deadline(120, run.clock), soft_s=40) is StopMode.SOFT
    assert cmd("stop", VMX, "hard") not in run.calls
    assert run.timeouts[run.calls.index(cmd("stop", VMX, "soft"))] <= 40


def test_a_soft_stop_that_hangs_is_followed_by_a_hard_one() -> None:
    run = FakeRun()
    run.on(*cmd("list"), says=ONE).on(*cmd("list"), says=ONE).on(*cmd("list"), says=NONE)
    run.on(*cmd("stop", VMX, "soft"), says=timed_out()).on(*cmd("stop", VMX, "hard"))
    assert windows(run).stop_and_verify(Path(VMX), Deadline(120, run.clock)) is StopMode.HARD


def test_a_soft_stop_without_effect_is_followed_by_a_hard_one_within_its_limit() -> None:
    state = {"list": ONE}
    run = FakeRun().on(*cmd("list"), says=lambda: state["list"])
    run.on(*cmd("stop", VMX, "soft")).on(*cmd("stop", VMX, "hard"), then=lambda: state.update(list=NONE))
    assert windows(run).stop_and_verify(Path(VMX), Deadline(120, run.clock), soft_s=10) is StopMode.HARD
    assert 10 <= run.clock.now < 12


def test_tools_not_running_goes_straight_to_hard() -> None:
    output = (f"Error: The VMware Tools are not running in the virtual machine: {VMX}\r\n".encode(), MINUS_ONE)
    run = FakeRun().on(*cmd("list"), says=ONE).on(*cmd("list"), says=ONE).on(*cmd("list"), says=NONE)
    run.on(*cmd("stop", VMX, "soft"), says=output).on(*cmd("stop", VMX, "hard"))
    assert windows(run).stop_and_verify(Path(VMX), Deadline(120, run.clock)) is StopMode.HARD
    assert run.clock.now < 1


def test_a_machine_that_is_off_is_not_stopped() -> None:
    run = FakeRun().on(*cmd("list"), says=NONE)
    assert windows(run).stop_and_verify(Path(VMX), Deadline(120, run.clock)) is None


def test_a_machine_that_does_not_power_off() -> None:
    run = FakeRun().on(*cmd("list"), says=ONE).on(*cmd("stop", VMX, "hard"))
    with pytest.raises(DeadlineExpired, match="does not power off") as caught:
        windows(run).stop_and_verify(Path(VMX), Deadline(20, run.clock), soft_s=0)
    assert cmd("stop", VMX, "soft") not in run.calls
    assert "list" in caught.value.last_seen


def test_a_hard_stop_that_fails_on_a_machine_that_still_runs() -> None:
    output = (b"Error: The file is already in use\r\n", MINUS_ONE)
    run = FakeRun().on(*cmd("list"), says=ONE).on(*cmd("stop", VMX, "hard"), says=output)
    with pytest.raises(errors.VmBusy):
        windows(run).stop_and_verify(Path(VMX), Deadline(20, run.clock), soft_s=0)


def test_a_machine_is_off_when_its_locks_are_gone(tmp_path: Path) -> None:
    lock = tmp_path / "a.vmx.lck"
    lock.mkdir()

    class FakeUnlockingClock(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.now > 3 and lock.exists():
                lock.rmdir()

    clock = FakeUnlockingClock()
    run = FakeRun(clock).on("v", "-T", "ws", "list", says="Total running VMs: 0\n")
    assert Driver(("v",), run=run).stop_and_verify(tmp_path / "a.vmx", Deadline(20, clock)) is None
    assert 3 < clock.now < 5


def test_a_lock_whose_owner_runs_is_a_machine_that_list_does_not_show(tmp_path: Path) -> None:
    """A service, another user or another elevation gets an empty `list`."""
    lock = tmp_path / "a.vmx.lck"
    lock.mkdir()
    (lock / "M12345.lck").write_text(f"lab {os.getpid()}-1333(vmware-vmx.exe)", encoding="utf-8")
    run = FakeRun().on("v", "-T", "ws", "list", says="Total running VMs: 0\n")
    with pytest.raises(DeadlineExpired, match="not in `vmrun list`") as caught:
        Driver(("v",), run=run).stop_and_verify(tmp_path / "a.vmx", Deadline(5, run.clock))
    assert caught.value.last_seen == f"a.vmx.lck of vmware-vmx.exe, process {os.getpid()}"
    assert "another user" in caught.value.remedy


def test_locks_that_stay_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.vmdk.lck").mkdir()
    run = FakeRun().on("v", "-T", "ws", "list", says="Total running VMs: 0\n")
    with pytest.raises(DeadlineExpired, match="still locked") as caught:
        Driver(("v",), run=run).stop_and_verify(tmp_path / "a.vmx", Deadline(5, run.clock))
    assert caught.value.last_seen == "a.vmdk.lck"


# -- reset, delete ---------------------------------------------------------------------------------------------------


def test_reset_of_a_machine_that_runs_on() -> None:
    run = FakeRun().on(*cmd("reset", VMX, "hard")).on(*cmd("list"), says=ONE)
    windows(run).reset(Path(VMX))
    assert run.calls == [cmd("reset", VMX, "hard"), cmd("list")]


def test_a_machine_that_reset_left_off_is_started() -> None:
    run = FakeRun().on(*cmd("reset", VMX, "hard")).on(*cmd("list"), says=NONE).on(*cmd("start", VMX, "nogui"))
    windows(run).reset(Path(VMX))
    assert run.calls[-1] == cmd("start", VMX, "nogui")


def test_delete_vm() -> None:
    run = FakeRun().on(*cmd("deleteVM", VMX))
    windows(run).delete_vm(Path(VMX))
    output = f"Error: Cannot open VM: {VMX}, The virtual machine cannot be found\r\n", MINUS_ONE
    run = FakeRun().on(*cmd("deleteVM", VMX), says=output)
    with pytest.raises(errors.VmNotFound, match=r"VIX 4000\); exit -1"):
        windows(run).delete_vm(Path(VMX))


# -- pause, suspend --------------------------------------------------------------------------------------------------


def test_pause_and_unpause() -> None:
    run = FakeRun().on(*cmd("pause", VMX)).on(*cmd("unpause", VMX))
    windows(run).pause(Path(VMX))
    windows(run).unpause(Path(VMX))
    assert run.calls == [cmd("pause", VMX), cmd("unpause", VMX)]


def test_a_paused_machine_is_resumed_before_its_power_is_cut() -> None:
    paused = (f"Error: The virtual machine is paused: {VMX}\r\n".encode(), MINUS_ONE)
    state = {"list": ONE, "hard": paused}
    run = FakeRun().on(*cmd("list"), says=lambda: state["list"]).on(*cmd("stop", VMX, "soft"), says=paused)
    run.on(*cmd("unpause", VMX), then=lambda: state.update(hard=(b"", 0)))

    def hard() -> object:
        if state["hard"] != paused:
            state["list"] = NONE
        return state["hard"]

    run.on(*cmd("stop", VMX, "hard"), says=hard)
    assert windows(run).stop_and_verify(Path(VMX), Deadline(60, run.clock)) is StopMode.HARD
    assert [call[3] for call in run.calls if call[3] != "list"] == ["stop", "stop", "unpause", "stop"]


def test_suspend_waits_until_the_machine_and_its_locks_are_gone(tmp_path: Path) -> None:
    vmx, lock = tmp_path / "a.vmx", tmp_path / "a.vmx.lck"
    lock.mkdir()
    lists = iter([f"Total running VMs: 1\n{vmx}\n", f"Total running VMs: 1\n{vmx}\n"])

    def listed() -> str:
        says = next(lists, "")
        if not says:
            lock.rmdir()
        return says or "Total running VMs: 0\n"

    run = FakeRun().on("v", "-T", "ws", "list", says=listed).on("v", "-T", "ws", "suspend", str(vmx), "soft")
    Driver(("v",), run=run, clock=run.clock).suspend(vmx, StopMode.SOFT)
    assert not lock.exists()
    assert run.timeouts[0] == 600


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ('checkpoint.vmState = "a-1f2e.vmss"\n', PowerState.SUSPENDED),
        ('checkpoint.vmState = "a-Snapshot1.vmsn"\n', PowerState.SUSPENDED),
        ('checkpoint.vmState = ""\n', PowerState.OFF),
        ('displayName = "a"\n', PowerState.OFF),
        ("no VMX", PowerState.OFF),
    ],
)
def test_a_machine_that_does_not_run_is_off_or_suspended(tmp_path: Path, text: str, state: PowerState) -> None:
    (tmp_path / "a.vmx").write_text(text, encoding="utf-8")
    run = FakeRun().on("v", "-T", "ws", "list", says="Total running VMs: 0\n")
    assert Driver(("v",), run=run).power_state(tmp_path / "a.vmx") is state


def test_without_a_key_in_the_vmx_the_state_file_counts(tmp_path: Path) -> None:
    (tmp_path / "a-1f2e.vmss").write_bytes(b"")
    run = FakeRun().on("v", "-T", "ws", "list", says="Total running VMs: 0\n")
    driver = Driver(("v",), run=run)
    assert driver.power_state(tmp_path / "a.vmx") is PowerState.SUSPENDED
    (tmp_path / "a.vmx").write_text('checkpoint.vmState = ""\n', encoding="utf-8")
    assert driver.power_state(tmp_path / "a.vmx") is PowerState.OFF


def test_a_suspended_machine_is_resumed_to_be_switched_off(tmp_path: Path) -> None:
    vmx = tmp_path / "a.vmx"
    vmx.write_text('checkpoint.vmState = "a.vmss"\n', encoding="utf-8")
    off, on = "Total running VMs: 0\n", f"Total running VMs: 1\n{vmx}\n"
    state = {"list": off}
    run = FakeRun().on("v", "-T", "ws", "list", says=lambda: state["list"])
    run.on("v", "-T", "ws", "start", str(vmx), "nogui", then=lambda: state.update(list=on))
    run.on("v", "-T", "ws", "stop", str(vmx), "hard", then=lambda: state.update(list=off))
    done = Driver(("v",), run=run, clock=run.clock).stop_and_verify(vmx, Deadline(60, run.clock), soft_s=40)
    assert done is StopMode.HARD
    assert [call[3] for call in run.calls if call[3] != "list"] == ["start", "stop"]
