"""Builders of guest faults: answers, console text, refusals, actions."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import paramiko
from sessions.fake_guest_shell import FakeShellGuest
from sessions.fake_lab import SYSTEM, FakeLab

from harness.guest.serial import format_event
from harness.lab.evidence.guest_files import QUESTIONS

from .outcome import WORKER

Make = Callable[[FakeLab], object]
STATUS = "# cloud-init status --format=json"


def answer(part: str, text: str, status: int = 0) -> Make:
    """Answer so the one command that is `part` or contains it."""

    def make(lab: FakeLab) -> None:
        answers = lab.answers(WORKER)
        (command,) = [part] if part in answers else [known for known in answers if part in known]
        lab.guests[WORKER].says[command] = (status, text)

    return make


def console(text: str, silent: set[str] | None = None) -> Make:
    """Print that text at each boot, and leave out these events."""

    def make(lab: FakeLab) -> None:
        lab.guests[WORKER].console = text
        lab.guests[WORKER].silent |= silent or set()

    return make


def evidence(name: str, text: str) -> Make:
    """Answer that question for evidence so."""
    question = next(one for one in QUESTIONS if one.name == name)
    return lambda lab: lab.guests[WORKER].says.update({f"# {question.shell}": (0, text)})


def guest(do: Callable[[FakeShellGuest, Path], object]) -> Make:
    """Do that to the guest of each boot."""

    def fault(one: FakeShellGuest, vmx: Path) -> None:
        do(one, vmx)

    def make(lab: FakeLab) -> None:
        lab.guests[WORKER].fault = fault

    return make


def both(*makes: Make) -> Make:
    return lambda lab: [make(lab) for make in makes]


def later(do: Callable[[FakeLab, Path], object], seconds: float = 1.0) -> Make:
    """Do that a moment after each start of the machine."""

    def make(lab: FakeLab) -> None:
        def fault(_: FakeShellGuest, vmx: Path) -> None:
            timer = threading.Timer(seconds, do, (lab, vmx))
            timer.daemon = True
            timer.start()

        lab.guests[WORKER].fault = fault

    return make


def damaged_payload(lab: FakeLab) -> None:
    """Change the digest of one payload file, so that it differs from the ISO's."""
    (command,) = [known for known in lab.answers(WORKER) if "-type f -exec sha256sum" in known]
    lines = lab.answers(WORKER)[command][1].splitlines(keepends=True)
    text = "".join("0" * 64 + line[64:] if "build-timestamp" in line else line for line in lines)
    lab.guests[WORKER].says[command] = (0, text)


def unknown_key(one: FakeShellGuest, _: Path) -> None:
    one.authorized = "another key"


def refuse(one: FakeShellGuest, _: Path) -> None:
    one.hang_up = True


def accept_and_hang(one: FakeShellGuest, _: Path) -> None:
    one.mute = True


def another_host_key(one: FakeShellGuest, _: Path) -> None:
    one.host_keys = [paramiko.ECDSAKey.generate()]


def freeze_at_the_marker(one: FakeShellGuest, _: Path) -> None:
    """Freeze when the copy marker is asked for, after boot and login."""
    one.when_asked("# cat /var/lib/iso-copy-complete", one.frozen.set)


def paused(lab: FakeLab) -> None:
    lab.vmrun.answers["getGuestIPAddress"] = (f"Error: The virtual machine is paused: {lab.vmx(WORKER)}\n", 255)


def reboots(lab: FakeLab) -> None:
    """Report the begin of each boot, and no later event."""

    def fault(_: FakeShellGuest, vmx: Path) -> None:
        serial = vmx.parent / "serial-1.log"
        own = next(line.split()[1] for line in serial.read_text().splitlines() if line.startswith("@LAB1"))
        lines = [format_event("boot", own, str(uuid.uuid4())) for _ in range(5)]
        serial.write_text(serial.read_text() + "".join(f"\n{line}\n" for line in lines))

    lab.guests[WORKER].silent |= {"ssh-ready", "boot-complete"}
    lab.guests[WORKER].fault = fault


def installer_says(event: str, reason: str) -> Make:
    """End the installer with that event and nothing after it."""

    def fault(_: FakeShellGuest, vmx: Path) -> None:
        serial = vmx.parent / "serial-1.log"
        own = next(line.split()[1] for line in serial.read_text().splitlines() if line.startswith("@LAB1"))
        line = format_event(event, own, str(uuid.uuid4()), {"reason": reason})
        serial.write_text(serial.read_text() + f"\n{line}\n")

    def make(lab: FakeLab) -> None:
        lab.guests[WORKER].silent |= {*SYSTEM, "copied", "installer-done"}
        lab.guests[WORKER].fault = fault

    return make
