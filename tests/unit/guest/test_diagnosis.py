"""Each pattern of a console has its cause; what looks alike and is harmless has none."""

from __future__ import annotations

import pytest

from harness.guest.diagnosis import _ROWS, diagnose

FATAL = [
    ("@LAB1 - b0 installer-refused reason=disk-not-blank #48", "refused"),
    ("@LAB1 - b0 installer-failed reason=zstd #41", "installer failed"),
    ("[    4.4] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)", "kernel panic"),
    ("error: no such device: 1234.\nEntering rescue mode...\ngrub rescue> ", "GRUB"),
    ("Failed to load ldlinux.c32\nBoot failed: please change disks", "boot loader"),
    ("isolinux.bin missing or corrupt.", "boot loader"),
    ("No DEFAULT or UI configuration directive found!\nboot: ", "boot loader"),
    ("Boot failed: Could not read from CDROM (code 0003)\nNo bootable device.", "no bootable device"),
    ("Operating System not found", "no bootable device"),
    ("Continue with autoinstall? (yes|no)", "waits for a person"),
    ("Press [Enter] to continue", "waits for a person"),
    ("  Willkommen! Bienvenue! Welcome! Добро пожаловать!", "waits for a person"),
    ("Use UP, DOWN and ENTER keys to select your language.", "waits for a person"),
    ("Please choose your preferred language.", "waits for a person"),
    ("[ Continue in rich mode  > ]", "waits for a person"),
    ("finish: subiquity/Install/install/curtin_install: FAIL: Command failed", "the installer failed and waits"),
    ("You are in emergency mode. After logging in, type", "emergency mode"),
    ("Give root password for maintenance\n(or press Control-D to continue): ", "emergency mode"),
    ("Cannot open access to console, the root account is locked.", "emergency mode"),
    ("ALERT!  UUID=1-2 does not exist.  Dropping to a shell!\n\n(initramfs) ", "initramfs"),
    ("\n(initramfs) ", "initramfs"),
    ("Gave up waiting for root file system device.  Common problems:", "initramfs"),
]
HURT = [
    ("[  99.1] Out of memory: Killed process 412 (apt-get) total-vm:1", "out of memory"),
    ("[  99.1] systemd invoked oom-killer: gfp_mask=0x1", "out of memory"),
    ("cp: error writing '/usr/local/seed/x': No space left on device", "full"),
    ("EXT4-fs (sda1): Remounting filesystem read-only", "read-only"),
    ("touch: cannot touch '/x': Read-only file system", "read-only"),
    ("blk_update_request: I/O error, dev sda, sector 2048", "read-only"),
    ("Cloud-init v. 22.4.2 finished at X. Datasource DataSourceNone.  Up 31.2 seconds", "no data source"),
    ("cc_final_message.py[WARNING]: Used fallback datasource", "no data source"),
    ("tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time", "clock"),
    ("SSL certificate problem: certificate is not yet valid", "clock"),
    ("x509: cannot validate certificate for 192.168.6.1 because it doesn't contain any IP SANs", "name the address"),
    ("x509: certificate is valid for 10.0.0.1, not 192.168.6.1", "name the address"),
    ("x509: certificate signed by unknown authority", "authority"),
    ("watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [swapper/0:1]", "overloaded"),
    ("rcu: INFO: rcu_sched self-detected stall on CPU", "overloaded"),
    ("INFO: task dpkg:812 blocked for more than 120 seconds.", "overloaded"),
]


@pytest.mark.parametrize(("text", "cause", "fatal"), [(*x, True) for x in FATAL] + [(*x, False) for x in HURT])
def test_a_console_text_has_its_cause(text: str, cause: str, fatal: bool) -> None:
    found = diagnose(f"[    0.0] Linux version 6.1.0\n{text}")
    assert found is not None
    assert cause in found.cause
    assert found.fatal == fatal
    assert found.remedy
    assert found.line
    assert found.line in text


def test_every_row_is_met_by_a_text_of_its_own() -> None:
    met = {next(i for i, row in enumerate(_ROWS) if row.pattern.search(text)) for text, _ in FATAL + HURT}
    assert met == set(range(len(_ROWS)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Booting from Hard Disk...\nBoot failed: not a bootable disk\n\nBooting from DVD/CD...\nISOLINUX 6.04",
        "[    1.2] Kernel command line: panic=10 autoinstall ds=nocloud",
        "Cloud-init v. 22.4.2 finished at X. Datasource DataSourceNoCloud [seed=/var/lib/cloud/seed].  Up 99 seconds",
        "@LAB1 - b0 installer-done #25",
        "[  OK  ] Reached target emergency.target is not wanted",
        "EXT4-fs (sda1): mounted filesystem read-only with ordered data mode",
        "k3s-master1 login: ",
        "update-initramfs: Generating /boot/initrd.img (initramfs) done",
    ],
)
def test_a_healthy_console_has_none(text: str) -> None:
    assert diagnose(text) is None


def test_what_ends_a_guest_stands_before_what_hurts_it() -> None:
    found = diagnose("BUG: soft lockup - CPU#0\nNo space left on device\nKernel panic - not syncing: out of luck\nmore")
    assert found is not None
    assert found.line == "Kernel panic - not syncing: out of luck"
