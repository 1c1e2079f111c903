"""Devices of a real guest: CD, cable, keyboard, variables, screen."""

from __future__ import annotations

import struct
from pathlib import Path

from guest_lab import ADDRESS, USER, RealGuest
from qemu_lab import eventually

CARRIER = "cat /sys/class/net/e*/carrier"
CD = "dd if=/dev/sr0 of=/dev/null bs=2048 count=1 2>/dev/null && echo there || echo gone"


def sees(guest: RealGuest, script: str, wanted: str) -> bool:
    return eventually(lambda: guest.root(script).strip() == wanted, 30)


def test_tools_run_and_the_address_is_reported(real_guest: RealGuest) -> None:
    vmrun, vmx = real_guest.vmrun, real_guest.vmx
    assert vmrun("checkToolsState", vmx) == (0, "running\n")
    assert vmrun("getGuestIPAddress", vmx) == (0, f"{ADDRESS}\n")
    assert vmrun("getGuestIPAddress", vmx, "-wait") == (0, f"{ADDRESS}\n")
    assert vmrun("readVariable", vmx, "guestVar", "ip") == (0, f"{ADDRESS}\n")


def test_a_guest_without_an_address(real_guest: RealGuest) -> None:
    card = real_guest.root("ls /sys/class/net | grep -v lo").strip()
    real_guest.root(f"ip addr flush dev {card} scope global")
    none = (255, "Error: Unable to get the IP address\n")
    assert real_guest.vmrun("getGuestIPAddress", real_guest.vmx) == none
    waiting = real_guest.vmrun.begin("getGuestIPAddress", real_guest.vmx, "-wait")
    real_guest.root(f"ip addr add {ADDRESS}/24 dev {card}")
    assert waiting.communicate(timeout=60)[0].decode() == f"{ADDRESS}\n"
    assert waiting.returncode == 0


def test_the_cd_goes_and_comes(real_guest: RealGuest) -> None:
    real_guest.root("modprobe sr_mod; modprobe isofs; true")
    vmrun, vmx = real_guest.vmrun, real_guest.vmx
    assert sees(real_guest, CD, "there")
    vmrun.ok("disconnectNamedDevice", vmx, "sata0:1")
    assert sees(real_guest, CD, "gone")
    vmrun.ok("connectNamedDevice", vmx, "sata0:1")
    assert sees(real_guest, CD, "there")


def test_a_cd_that_the_guest_has_locked_raises_a_question(real_guest: RealGuest) -> None:
    vmrun, vmx = real_guest.vmrun, real_guest.vmx
    assert sees(real_guest, CD, "there")
    real_guest.root("kill -STOP $(pidof systemd-udevd)")  # it would give the CD out
    try:
        assert vmrun("disconnectNamedDevice", vmx, "sata0:1") == (255, "Error: The operation was canceled\n")
        assert "Msg_Post: Question" in (vmx.parent / "vmware.log").read_text(encoding="utf-8")
        assert real_guest.root(CD).strip() == "there"
    finally:
        real_guest.root("kill -CONT $(pidof systemd-udevd)")


def test_the_cable_goes_and_comes(real_guest: RealGuest) -> None:
    vmrun, vmx = real_guest.vmrun, real_guest.vmx
    assert sees(real_guest, CARRIER, "1")
    vmrun.ok("disconnectNamedDevice", vmx, "ethernet0")
    assert sees(real_guest, CARRIER, "0")
    vmrun.ok("connectNamedDevice", vmx, "ethernet0")
    assert sees(real_guest, CARRIER, "1")


def test_the_environment_of_guest_programs(real_guest: RealGuest) -> None:
    assert real_guest.ok("readVariable", "guestEnv", "HOME") == f"/home/{USER}\n"
    assert real_guest.ok("readVariable", "guestEnv", "COLOUR") == "\n"
    assert real_guest("writeVariable", "guestEnv", "COLOUR", "deep  blue") == (0, "")
    assert real_guest.ok("readVariable", "guestEnv", "COLOUR") == "deep  blue\n"
    assert real_guest("runProgramInGuest", "/bin/sh", "-c", '[ "$COLOUR" = "deep  blue" ]') == (0, "")
    wrong = (255, "Error: Invalid user name or password for the guest OS\n")
    assert real_guest.as_user(USER, "wrong", "writeVariable", "guestEnv", "COLOUR", "red") == wrong
    assert real_guest("readVariable", "guestEnv", "A=B") == (255, "Error: One of the parameters was invalid: A=B\n")


def test_the_screen_is_shown_to_who_is_logged_in(real_guest: RealGuest, tmp_path: Path) -> None:
    png = tmp_path / "screen.png"
    code, output = real_guest.vmrun("captureScreen", real_guest.vmx, png)
    assert (code, output.startswith("Error: Anonymous guest operations")) == (255, True)
    assert real_guest.as_user(USER, "wrong", "captureScreen", png)[0] == 255
    assert not png.exists()
    real_guest.ok("captureScreen", png)
    data = png.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) >= (640, 400)
    nowhere = (255, "Error: A file access error occurred on the host or guest operating system\n")
    assert real_guest("captureScreen", tmp_path / "no" / "screen.png") == nowhere


def test_what_is_typed_arrives_at_the_guests_keyboard(real_guest: RealGuest) -> None:
    """Read the first virtual terminal, which no other program does."""
    text = 'Hello, "World" ~ 100% {a|b}\\'
    real_guest.root("modprobe evdev; (head -n 1 < /dev/tty1 > /tmp/typed) >/dev/null 2>&1 & sleep 1; chvt 1; true")
    real_guest.ok("typeKeystrokesInGuest", text + "\n")
    assert sees(real_guest, "cat /tmp/typed", text)
    no_key = real_guest("typeKeystrokesInGuest", "größer")
    assert (no_key[0], no_key[1].startswith("Error: One of the parameters was invalid")) == (255, True)


def test_shared_folders_cannot_be_had(real_guest: RealGuest) -> None:
    assert real_guest("enableSharedFolders") == (255, "Error: The operation is not supported\n")
