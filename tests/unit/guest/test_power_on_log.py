"""Guest events of one power cycle, read from the serial log."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_clock import FakeClock

from harness.guest.diagnosis import Source
from harness.guest.power_on_log import PowerOnLog
from harness.guest.serial import GuestEvent, SerialFollower, format_event

NONCE, OTHER = "0a" * 16, "ff" * 16
INSTALLER, SYSTEM = "boot-1", "boot-2"


class Console:
    """A serial log that grows, and the power-on log of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = FakeClock()
        self.heard: list[GuestEvent] = []
        follower = SerialFollower(path, NONCE, self.clock)
        self.log = PowerOnLog(1, follower, self.clock, self.heard.append)

    def print(self, text: str) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)

    def report(self, event: str, boot_id: str, nonce: str = NONCE, **fields: str) -> None:
        self.print(format_event(event, nonce, boot_id, fields) + "\n")


@pytest.fixture
def console(tmp_path: Path) -> Console:
    return Console(tmp_path / "serial-1.log")


def test_events_come_in_order_and_each_is_passed_on_once(console: Console) -> None:
    console.report("installer-start", INSTALLER)
    console.log.poll()
    console.log.poll()
    console.report("ssh-ready", SYSTEM)
    console.log.poll()
    assert [event.event for event in console.log.events] == ["installer-start", "ssh-ready"]
    assert console.heard == console.log.events
    assert console.log.boot_ids == [INSTALLER, SYSTEM]


def test_the_end_reads_a_last_line_without_a_line_end(console: Console) -> None:
    console.print(format_event("boot-complete", NONCE, SYSTEM))
    console.log.poll()
    assert console.log.events == []
    console.log.finish()
    assert [event.event for event in console.log.events] == ["boot-complete"]


def test_events_of_another_machine_are_reported_and_do_not_count(console: Console) -> None:
    console.report("ssh-ready", SYSTEM, OTHER)
    console.log.poll()
    assert console.log.events == []
    assert console.log.foreign_events == [f"1 event(s) in serial-1.log are of another machine: nonce {OTHER}"]


def test_silence_begins_with_power_on_and_again_with_each_event(console: Console) -> None:
    console.clock.sleep(40)
    assert console.log.silence_s == 40
    console.report("boot", SYSTEM)
    console.log.poll()
    console.clock.sleep(5)
    console.log.poll()
    assert console.log.silence_s == 5


def test_any_boot_is_accepted_only_as_long_as_the_guest_reports_none(console: Console) -> None:
    assert console.log.accepts_boot("unknown")
    console.report("boot", SYSTEM)
    console.log.poll()
    assert console.log.accepts_boot(SYSTEM)
    assert not console.log.accepts_boot("unknown")


def test_the_latest_event_is_found_by_name_boot_and_fields(console: Console) -> None:
    console.report("cloud-init", INSTALLER, stage="init")
    console.report("cloud-init", SYSTEM, stage="init")
    console.report("cloud-init", SYSTEM, stage="final")
    console.log.poll()
    latest = console.log.last("cloud-init")
    assert latest is not None
    assert latest.fields == {"stage": "final"}
    of_installer = console.log.last("cloud-init", boot_id=INSTALLER)
    assert of_installer is not None
    assert of_installer.boot_id == INSTALLER
    assert console.log.last("cloud-init", boot_id=INSTALLER, stage="final") is None
    assert console.log.last("ssh-ready") is None


def test_a_kernel_panic_on_the_console_is_fatal(console: Console) -> None:
    console.print("all is well\n")
    console.log.poll()
    assert console.log.fatal_diagnosis() is None
    console.print("Kernel panic - not syncing: VFS: no root\n")
    console.log.poll()
    found = console.log.fatal_diagnosis()
    assert found is not None
    assert (found.cause, found.source) == ("kernel panic: VFS: no root", Source.CONSOLE)


def test_a_cause_that_is_not_fatal_does_not_end_a_wait(console: Console) -> None:
    console.print("write error: disk full\n")
    console.log.poll()
    assert console.log.fatal_diagnosis() is None


def test_a_guest_that_restarts_again_and_again_is_fatal(console: Console) -> None:
    for number in range(3):
        console.report("boot", f"boot-{number}")
    console.log.poll()
    assert console.log.fatal_diagnosis() is None
    console.report("boot", "boot-3")
    console.log.poll()
    found = console.log.fatal_diagnosis()
    assert found is not None
    assert found.fatal
    assert "4 boots" in found.cause


INSTALLER_LINES = (
    "[    0.000000] Linux version 6.8.0\n[    0.000000] Command line: BOOT_IMAGE=/casper/vmlinuz autoinstall\n"
)
SYSTEM_LINES = "[    0.000000] Linux version 6.8.0\n[    0.000000] Command line: BOOT_IMAGE=/vmlinuz root=/dev/sda2\n"


def test_an_installation_and_a_restart_of_the_installed_system_is_no_loop(console: Console) -> None:
    console.print(INSTALLER_LINES + SYSTEM_LINES + SYSTEM_LINES)
    console.log.poll()
    assert console.log.fatal_diagnosis() is None


@pytest.mark.parametrize("between", ["", SYSTEM_LINES])
def test_an_installer_that_starts_a_second_time_is_a_reinstall_loop(console: Console, between: str) -> None:
    console.print(INSTALLER_LINES + between + INSTALLER_LINES)
    console.log.poll()
    found = console.log.fatal_diagnosis()
    assert found is not None
    assert found.fatal
    assert "reinstall loop" in found.cause
    assert "`boot_order: [disk, cdrom]`" in found.remedy


def test_an_installer_that_starts_on_an_installed_machine_is_a_reinstall_loop(console: Console) -> None:
    console.log.number = 2
    console.print(SYSTEM_LINES)
    console.log.poll()
    assert console.log.fatal_diagnosis() is None
    console.print(INSTALLER_LINES)
    console.log.poll()
    found = console.log.fatal_diagnosis()
    assert found is not None
    assert "reinstall loop" in found.cause


def test_a_guest_without_events_that_restarts_again_and_again_is_fatal(console: Console) -> None:
    console.print("[    0.000000] Linux version 6.8.0\n" * 6)
    console.log.poll()
    found = console.log.fatal_diagnosis()
    assert found is not None
    assert "6 boots" in found.cause


def test_the_kernels_command_line_explains_a_question_that_comes_a_thousand_lines_later(console: Console) -> None:
    console.print(INSTALLER_LINES.replace("autoinstall", "---") + "[    9.9] a line\n" * 1000)
    console.print("Continue with autoinstall? (yes|no)\n")
    console.log.poll()
    found = console.log.fatal_diagnosis()
    assert found is not None
    assert "has no word `autoinstall`" in found.cause
