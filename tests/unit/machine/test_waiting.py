from __future__ import annotations

from pathlib import Path

import pytest
from fake_clock import FakeClock
from run_samples import WORKER

from harness.core.deadline import Deadline
from harness.core.errors import DeadlineExpired, GuestError, HarnessError, HostError
from harness.machine.screen import Screen
from harness.machine.waiting import Waiting

from .conftest import Vm


class Running:
    """Answers whether the VM runs, and keeps how often it was asked."""

    def __init__(self, *, answer: bool = True) -> None:
        self.answer = answer
        self.asked_at: list[float] = []

    def __call__(self, deadline: Deadline) -> bool:
        self.asked_at.append(deadline.elapsed)
        return self.answer


def waiting(vm: Vm, clock: FakeClock, running: Running) -> Waiting:
    return Waiting(WORKER, vm.console, vm.journal, running, clock)


def test_the_first_answer_is_returned_and_events_are_followed(vm: Vm, clock: FakeClock) -> None:
    vm.send("boot", "a")

    def answer() -> str | None:
        if clock.now > 103:
            vm.send("ssh-ready", "a")
        event = vm.console.last("ssh-ready")
        return event.boot_id if event else None

    assert waiting(vm, clock, Running()).wait_for("ssh-ready", answer, Deadline(60, clock)) == "a"
    assert 103 < clock.now < 104


def test_an_expired_wait_has_the_last_state(vm: Vm, clock: FakeClock) -> None:
    vm.journal.state("cloud-init")
    with pytest.raises(DeadlineExpired, match="a marker: not within 30 s") as raised:
        waiting(vm, clock, Running()).wait_for("a marker", lambda: None, Deadline(30, clock))
    assert raised.value.last_seen == "cloud-init"
    assert raised.value.where == WORKER


def test_an_expired_wait_names_the_setting_the_console_and_the_next_command(vm: Vm, clock: FakeClock) -> None:
    deadline = Deadline(60, clock, setting="deadlines_s.boot").at_most(30)
    vm.write("[    0.0] Linux version 6.1.0")
    with pytest.raises(DeadlineExpired) as raised:
        waiting(vm, clock, Running()).wait_for("a marker", lambda: None, deadline)
    assert raised.value.evidence == (str(vm.serial),)
    for part in (str(vm.serial), "`deadlines_s.boot`", "30 s now", "`--resume`"):
        assert part in raised.value.remedy


def test_every_error_of_a_guest_has_the_path_of_its_console(vm: Vm, clock: FakeClock) -> None:
    vm.write("[    0.0] Linux version 6.1.0")
    vm.console.listen()
    error = waiting(vm, clock, Running()).guest_error("no SSH connection to this machine")
    assert str(vm.serial) in error.remedy
    assert "lab ssh" not in error.remedy, "SSH is what does not work"


def test_a_vm_that_went_off_ends_the_wait(vm: Vm, clock: FakeClock) -> None:
    running = Running(answer=False)
    with pytest.raises(GuestError, match="the machine went off while waiting for a marker"):
        waiting(vm, clock, running).wait_for("a marker", lambda: None, Deadline(600, clock))
    assert running.asked_at == [8.0]


def test_vmrun_is_asked_every_eight_seconds(vm: Vm, clock: FakeClock) -> None:
    running = Running()
    with pytest.raises(DeadlineExpired):
        waiting(vm, clock, running).wait_for("a marker", lambda: None, Deadline(30, clock), interval_s=1)
    assert running.asked_at == [8.0, 16.0, 24.0]


def test_a_panic_ends_the_wait_with_the_console_as_evidence(vm: Vm, clock: FakeClock) -> None:
    vm.write("[    1.0] Kernel panic - not syncing: sysrq triggered crash")
    with pytest.raises(GuestError, match="panic") as raised:
        waiting(vm, clock, Running()).wait_for("a marker", lambda: None, Deadline(600, clock))
    assert "sysrq triggered crash" in raised.value.detail
    assert raised.value.evidence == (str(vm.serial),)
    assert clock.now == 100, "at once"


@pytest.mark.parametrize(
    ("line", "error", "cause"),
    [
        ("[msg.Backdoor.OsNotFound] No operating system was found.", GuestError, "no bootable medium"),
        ("[msg.hbacommon.outofspace] There is no more space for virtual disk a.vmdk.", HostError, "disk is full"),
        ("[msg.vmrunqemu] QEMU ended with -9: ", HostError, r"process ended \(-9\)"),
        ("VMware Workstation unrecoverable error: (vcpu-0)", HostError, "itself crashed"),
        ("[msg.vmrunqemu.network] The virtual network vmnet1 is down: its daemon ended.", HostError, "vmnet1 is down"),
    ],
)
def test_a_fatal_line_of_the_hypervisors_log_ends_the_wait_within_seconds(
    vm: Vm, clock: FakeClock, tmp_path: Path, line: str, error: type[HarnessError], cause: str
) -> None:
    log = tmp_path / "vmware.log"
    log.write_text("PowerOn\n", encoding="utf-8")

    def answer() -> None:
        if clock.now > 130:
            log.write_text(f"PowerOn\n{line}\n", encoding="utf-8")

    watched = Waiting(WORKER, vm.console, vm.journal, Running(), clock, hypervisor_log=log)
    with pytest.raises(error, match=cause) as raised:
        watched.wait_for("a marker", answer, Deadline(900, clock))
    assert clock.now <= 136
    assert (raised.value.detail, raised.value.evidence) == (line.strip(), (str(log),))


def test_a_log_that_is_not_there_or_harmless_ends_no_wait(vm: Vm, clock: FakeClock, tmp_path: Path) -> None:
    log = tmp_path / "vmware.log"
    for text in ("", "CDROM: sata0:1 will start disconnected\n" * 9):
        if text:
            log.write_text(text, encoding="utf-8")
        with pytest.raises(DeadlineExpired):
            Waiting(WORKER, vm.console, vm.journal, Running(), clock, hypervisor_log=log).wait_for(
                "a marker", lambda: None, Deadline(20, clock)
            )


def test_an_answer_counts_also_in_a_guest_that_fails(vm: Vm, clock: FakeClock) -> None:
    vm.write("[    1.0] Kernel panic - not syncing: sysrq triggered crash")
    assert waiting(vm, clock, Running()).wait_for("a marker", lambda: 1, Deadline(600, clock)) == 1


def test_the_log_names_the_cause_of_a_vm_that_went_off(vm: Vm, clock: FakeClock, tmp_path: Path) -> None:
    log = tmp_path / "vmware.log"
    log.write_text("PowerOn\n", encoding="utf-8")

    def killed(_: Deadline) -> bool:
        log.write_text("PowerOn\nQEMU ended with -9: \n", encoding="utf-8")
        return False

    with pytest.raises(HostError, match="process ended"):
        Waiting(WORKER, vm.console, vm.journal, killed, clock, hypervisor_log=log).wait_for(
            "a marker", lambda: None, Deadline(900, clock)
        )


def test_during_a_command_the_host_is_looked_at_and_not_the_console(vm: Vm, clock: FakeClock, tmp_path: Path) -> None:
    log, running = tmp_path / "vmware.log", Running()
    vm.write("[    1.0] Kernel panic - not syncing: sysrq triggered crash")
    vm.console.listen()
    watched = Waiting(WORKER, vm.console, vm.journal, running, clock, hypervisor_log=log)
    watched.begin()
    for _ in range(20):
        watched.check_host("a command", Deadline(30, clock))
        clock.sleep(1)
    assert len(running.asked_at) == 2
    log.write_text("[msg.vmrunqemu.network] The virtual network vmnet1 is down: its daemon ended.\n", encoding="utf-8")
    clock.sleep(5)
    for _ in range(2):
        with pytest.raises(HostError, match="vmnet1 is down"):
            watched.check_host("a command", Deadline(30, clock))
    running.answer = False
    log.unlink()
    clock.sleep(8)
    with pytest.raises(GuestError, match="went off while waiting for a command"):
        watched.check_host("a command", Deadline(30, clock))


def test_without_a_word_on_the_serial_port_the_remedy_names_the_screen_and_no_console(
    vm: Vm, clock: FakeClock, tmp_path: Path
) -> None:
    picture = tmp_path / WORKER / "screen.png"
    screen = Screen(
        picture, lambda png, _: void(png.write_bytes(b"x")), console=vm.console, journal=vm.journal, clock=clock
    )
    watched = Waiting(WORKER, vm.console, vm.journal, Running(), clock, screen=screen)
    with pytest.raises(DeadlineExpired) as raised:
        watched.wait_for("an SSH login", lambda: None, Deadline(300, clock, setting="deadlines_s.boot"))
    assert "nothing on the serial port; the screen has stood still for a minute: " in raised.value.last_seen
    assert f"look at the screen: {picture} (nothing came on the serial port: add `console=ttyS0" in raised.value.remedy
    assert "read the console" not in raised.value.remedy
    assert raised.value.evidence == (str(picture),)


def test_without_a_picture_the_remedy_names_the_window(vm: Vm, clock: FakeClock) -> None:
    vm.write("BdsDxe: starting Boot0001 from PciRoot(0x0)")
    with pytest.raises(DeadlineExpired) as raised:
        waiting(vm, clock, Running()).wait_for("an SSH login", lambda: None, Deadline(30, clock))
    assert raised.value.remedy.startswith("look at its window (nothing came on the serial port")


def void(_: object) -> None:
    """Drop a value."""


def test_what_is_waited_for_is_in_the_journal_until_it_is_there(vm: Vm, clock: FakeClock) -> None:
    assert waiting(vm, clock, Running()).wait_for("a marker", lambda: 1, Deadline(600, clock)) == 1
    waits = [(event["text"], event["limit_s"]) for event in vm.journalled("wait")]
    assert waits == [("a marker", 600), ("", 0)]
