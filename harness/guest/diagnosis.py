"""What a serial console says about a guest that does not get on: a table of patterns, causes and remedies. Pure.

The patterns are the literal texts of Linux 6.x, systemd 252 and later, GRUB 2, SYSLINUX 6, SeaBIOS, initramfs-tools,
cloud-init 22.4 and later, subiquity (Ubuntu's server installer), Go's crypto/x509, and the events of our own seeds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnosis:
    """Why a guest does not get on.

    Attributes:
        cause: What is the matter, in one line.
        remedy: What the reader can do.
        line: The console line that says so.
        fatal: Whether waiting any longer is pointless.
    """

    cause: str
    remedy: str
    line: str
    fatal: bool


@dataclass(frozen=True)
class _Row:
    pattern: re.Pattern[str]
    cause: str
    remedy: str
    fatal: bool = True


def _row(pattern: str, cause: str, remedy: str, *, fatal: bool = True) -> _Row:
    return _Row(re.compile(pattern, re.IGNORECASE | re.MULTILINE), cause, remedy, fatal)


# The first row that matches wins: what ends a guest stands before what merely hurts it.
_ROWS = (
    _row(
        r"@LAB1 \S+ \S+ installer-refused\b",
        "the installer refused: the disk is not blank",
        "an installed system is never overwritten: delete the machine (cleanup phase) and start anew",
    ),
    _row(
        r"@LAB1 \S+ \S+ installer-failed\b",
        "the installer failed",
        "its reason is in the event; the lines before it in the serial log say which step",
    ),
    _row(
        r"Kernel panic - not syncing",
        "kernel panic",
        "`Unable to mount root fs` means a wrong root= or a disk controller without a driver in the initrd; "
        "`Attempted to kill init` with little memory means too little memory",
    ),
    _row(
        r"grub rescue>|error: unknown filesystem|GNU GRUB .*\n(?:.*\n){0,3}.*Minimal BASH-like",
        "GRUB does not find its files and waits for a person",
        "the disk was written only in part, or the machine boots from the wrong disk: create it anew",
    ),
    _row(
        r"Failed to load ldlinux|isolinux\.bin missing or corrupt|No DEFAULT or UI configuration directive"
        r"|Could not find kernel image",
        "the boot loader does not find its files",
        "the seed ISO or the written disk is damaged: build the seeds again",
    ),
    _row(
        r"No bootable device|Operating System not found|No bootable medi(?:a|um)",
        "no bootable device: neither the disk nor the CD boots",
        "is the seed ISO bootable, `sata0:1.startConnected` TRUE and `bios.bootOrder` disk,cdrom (VMware: hdd,cdrom)?",
    ),
    _row(
        r"continue with autoinstall\? \(yes\|no\)",
        "the installer waits for a person: it asks whether to go on",
        "the kernel word `autoinstall` is missing on the ISO's boot line (an unquoted `;` in GRUB cuts the rest off)",
    ),
    _row(
        r"Press \[Enter\]|(?:select|choose) your (?:preferred )?language|Willkommen! Bienvenue! Welcome!"
        r"|Continue in (?:rich|basic) mode|started in basic mode",
        "the installer waits for a person: it did not find its autoinstall data",
        "check `ds=nocloud;s=…` on the ISO's boot line (quoted in GRUB, loopback.cfg too), and user-data's YAML",
    ),
    _row(
        r"An error occurred\. Press enter to start a shell|install_fail|finish: subiquity/.*: FAIL",
        "the installer failed and waits for a person",
        "/var/log/installer and /var/crash in the guest hold the reason; look at the machine's screen",
    ),
    _row(
        r"You are in emergency mode|Give root password for maintenance|Press Enter for maintenance"
        r"|Cannot open access to console, the root account is locked",
        "emergency mode: the system waits for a person",
        "a file system or a mount of /etc/fstab failed: the serial log says which unit (`Dependency failed for …`)",
    ),
    _row(
        r"^\(initramfs\)|Dropping to a shell!|Gave up waiting for root (?:file system )?device",
        "the initramfs does not find the root file system and waits for a person",
        "the disk's controller needs a driver that the initrd lacks (the cloud kernel has no AHCI), or root= is wrong",
    ),
    _row(
        r"System is deadlocked on memory|Out of memory: Kill|oom-kill:|invoked oom-killer",
        "out of memory: the kernel killed a process",
        "give the machine more memory (`memory_mib` in the lab file)",
        fatal=False,
    ),
    _row(
        r"No space left on device|write error: disk full",
        "a file system in the guest is full",
        "make the disk larger (`disk_gib` in the lab file), or the payload smaller",
        fatal=False,
    ),
    _row(
        r"Remounting filesystem read-only|Read-only file system|EXT4-fs error|I/O error, dev ",
        "the guest's disk failed, or its file system is read-only",
        "look at the host: is its disk full, and is the virtual disk whole?",
        fatal=False,
    ),
    _row(
        r"Datasource DataSourceNone|Used fallback datasource|No instance datasource found"
        r"|Did not find any data source",
        "cloud-init found no data source: user, key, address and packages were not set up",
        "the NoCloud seed is missing in the guest: look at /var/lib/cloud/seed and at ds-identify's log",
        fatal=False,
    ),
    _row(
        r"certificate (?:has expired or )?is not yet valid",
        "a certificate is not valid yet: the guest's clock is wrong",
        "check time zone and `rtc.diffFromUTC`, and the host's own clock",
        fatal=False,
    ),
    _row(
        r"doesn't contain any IP SANs|certificate is (?:not )?valid for .*, not ",
        "a certificate does not name the address that is called",
        "make the registry's certificate again, with its address among the subject alternative names",
        fatal=False,
    ),
    _row(
        r"certificate signed by unknown authority",
        "a certificate's authority is not known in the guest",
        "the payload's CA certificate was not installed: look at `update-ca-certificates` in cloud-init's output",
        fatal=False,
    ),
    _row(
        r"BUG: soft lockup|detected stalls on CPUs|self-detected stall|blocked for more than \d+ seconds",
        "the guest's processors stand still for seconds: the host is overloaded",
        "start fewer machines at once, or give them fewer processors",
        fatal=False,
    ),
)


def diagnose(text: str) -> Diagnosis | None:
    """Return the gravest thing that a console's text shows, or None; `text` is free of terminal escapes."""
    for row in _ROWS:
        match = row.pattern.search(text)
        if match is not None:
            begin = text.rfind("\n", 0, match.end()) + 1
            end = text.find("\n", match.end())
            line = text[begin : end if end >= 0 else len(text)].strip()
            return Diagnosis(row.cause, row.remedy, line, row.fatal)
    return None
