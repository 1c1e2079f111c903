"""Kernel starts are counted from what a console shows."""

from __future__ import annotations

import pytest

from harness.guest.kernel_starts import KernelStarts

VERSION = "[    0.000000] Linux version 6.8.0-45-generic (buildd@lcy02) #45-Ubuntu SMP"
INSTALLER = "[    0.000000] Command line: BOOT_IMAGE=/casper/vmlinuz autoinstall ---"
SYSTEM = "[    0.000000] Command line: BOOT_IMAGE=/vmlinuz-6.8.0-45-generic root=/dev/mapper/vg-lv ro"
OTHERS = (
    "[    0.041000] Kernel command line: BOOT_IMAGE=/casper/vmlinuz autoinstall ---",
    "[   12.2] audit: the text Linux version 6 is quoted here",
    "Linux versions differ",
)


def starts(*lines: str) -> KernelStarts:
    kernels = KernelStarts()
    for line in lines:
        kernels.add(line)
    return kernels


def test_an_installation_is_two_starts_and_one_of_an_installer() -> None:
    kernels = starts(VERSION, INSTALLER, *OTHERS, VERSION, SYSTEM, *OTHERS)
    assert kernels.count == 2
    assert kernels.installer_count(blank_disk=True) == 1
    assert kernels.last == [VERSION, SYSTEM]


@pytest.mark.parametrize(
    "line",
    [
        INSTALLER,
        "Command line: boot=casper quiet",
        "Command line: BOOT_IMAGE=/install.amd/vmlinuz auto=true",
        "Command line: inst.stage2=hd:LABEL=Rocky inst.ks=cdrom:/ks.cfg",
    ],
)
def test_installers_are_known_by_their_command_line(line: str) -> None:
    assert starts(line).installer_count(blank_disk=False) == 1
    assert starts(SYSTEM).installer_count(blank_disk=False) == 0


def test_on_a_blank_disk_the_first_kernel_is_an_installers_whatever_its_name() -> None:
    own = "Command line: own-installer"
    assert starts(own, SYSTEM).installer_count(blank_disk=True) == 1
    assert starts(own, SYSTEM, own).installer_count(blank_disk=True) == 2
    assert starts(own, SYSTEM, own).installer_count(blank_disk=False) == 0


def test_a_quiet_kernel_is_counted_by_the_first_stage_of_cloud_init() -> None:
    first = "Cloud-init v. 24.1.3-0ubuntu3 running 'init-local' at Tue, 02 Jan 2026 00:00:00 +0000. Up 9.1 seconds."
    later = first.replace("init-local", "modules:final")
    assert starts(first, later, first, later).count == 2


def test_a_guest_that_starts_without_end_does_not_fill_the_memory() -> None:
    kernels = starts(*[INSTALLER] * 1000)
    assert len(kernels._command_lines) <= 32
    assert kernels.installer_count(blank_disk=True) > 1
