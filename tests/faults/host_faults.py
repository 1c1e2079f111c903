"""Faults of the host and of its hypervisor.

A `vmrun` that hangs, lies or is gone, a full disk, a wrong seed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from sessions.fake_guest_shell import FakeShellGuest
from sessions.fake_lab import FakeLab

from harness.core.verdict import Phase, Status

from .making import Make, both, console, later
from .outcome import WORKER, Expected, Fault


def says(verb: str, text: str, status: int = 255) -> Make:
    """Answer the verb so, in place of doing anything."""
    return lambda lab: lab.vmrun.answers.update({verb: (text, status)})


def hangs(verb: str) -> Make:
    return lambda lab: lab.vmrun.hanging.add(verb)


def from_its_start(do: Callable[[FakeLab], object]) -> Make:
    """Do that as soon as the machine is switched on."""

    def make(lab: FakeLab) -> None:
        def fault(_: FakeShellGuest, __: Path) -> None:
            do(lab)

        lab.guests[WORKER].fault = fault

    return make


def wrong_seed(lab: FakeLab) -> None:
    shutil.copy(lab.seeds / "seed-worker2.iso", lab.seeds / "seed-worker1.iso")


def canceled(lab: FakeLab) -> None:
    """`start` gives up, and only vmware.log has the reason."""
    lab.vmrun.logs["start"] = "Msg_Post: Error\n[msg.disk.noSpace] There is not enough space in the file system.\n"
    lab.vmrun.answers["start"] = ("Error: The operation was canceled\n", 255)


def disk_fills(lab: FakeLab) -> None:
    """The hypervisor stops the guest, which installs, and only vmware.log has the reason."""

    def fill(_: FakeLab, vmx: Path) -> None:
        text = "Msg_Post: Error\n[msg.hbacommon.outofspace] There is no more space for virtual disk "
        (vmx.parent / "vmware.log").write_text(f"{text}'{WORKER}.vmdk'.\n", encoding="utf-8")

    both(console("", {"ssh-ready", "boot-complete"}), later(fill))(lab)


def never_runs(lab: FakeLab) -> None:
    """`start` says nothing, `list` has nothing."""
    lab.vmrun.answers["start"] = ("", 0)


BOOT = Phase.BOOT
RUNNING = "running"
ERROR = Status.ERROR

HOST_FAULTS = (
    Fault(
        "seed of the wrong machine",
        wrong_seed,
        "30_boot",
        Expected(Phase.ENVIRONMENT, f"seed ISO of {WORKER}", "it installs k3s-worker2", "seed", 5, machine=None),
    ),
    Fault(
        "host disk full during creation",
        lambda lab: lab.vmrun.answers.update(
            {"-c": ("Failed to create disk: There is not enough space in the file system (0x80000008).\n", 1)}
        ),
        "20_creation",
        Expected(Phase.CREATION, "virtual disk", "the host's disk is full", "free space", 1, ERROR),
    ),
    Fault(
        "host disk full while a guest installs",
        disk_fills,
        "30_boot",
        Expected(BOOT, "ssh login", "the hypervisor's log says: the host's disk is full", "free space", 8, ERROR),
    ),
    Fault(
        "vmrun that never ends: start",
        hangs("start"),
        "30_boot",
        Expected(BOOT, RUNNING, "vmrun did not end within ", "Workstation window", 3, ERROR),
        {"boot": 3},
    ),
    Fault(
        "vmrun that never ends: list, half-way",
        lambda lab: (console("", {"ssh-ready", "boot-complete"})(lab), from_its_start(hangs("list"))(lab)),
        "30_boot",
        Expected(BOOT, RUNNING, "vmrun list: vmrun did not end within ", "Workstation window", 4, ERROR),
        {"boot": 4},
    ),
    Fault(
        "vmrun lies: exit 0 with an error",
        says("start", "Error: The file is already in use\n", 0),
        "30_boot",
        Expected(BOOT, RUNNING, "vmrun start failed: another program has the machine open", "lab down", 1, ERROR),
    ),
    Fault(
        "vmrun lies: start canceled, the reason only in vmware.log",
        canceled,
        "30_boot",
        Expected(BOOT, RUNNING, "the hypervisor's log says: the host's disk is full", "free space", 1, ERROR),
    ),
    Fault(
        "vmrun lies: start succeeds and nothing runs",
        never_runs,
        "30_boot",
        Expected(BOOT, RUNNING, "`vmrun start` succeeded, and `vmrun list` does not have it", "elevation", 3),
        {"boot": 3},
    ),
    Fault(
        "vmrun lies: list says 0",
        from_its_start(says("list", "Total running VMs: 0\n", 0)),
        "30_boot",
        Expected(BOOT, RUNNING, "`vmrun start` succeeded, and `vmrun list` does not have it", "elevation", 3),
        {"boot": 3},
    ),
    Fault(
        "vmrun missing half-way",
        from_its_start(lambda lab: lab.vmrun.program.unlink()),
        "30_boot",
        Expected(BOOT, RUNNING, "vmrun list: cannot start ", "lab doctor", 1, ERROR),
    ),
)

# What vmrun says of Tools, of addresses and of a second start is not what anything rests on.
LIES: dict[str, Make] = {
    "vmrun lies: Tools are `installed` for ever": says("checkToolsState", "installed\n", 0),
    "vmrun lies: unknown address": says("getGuestIPAddress", "unknown\n", 0),
    "vmrun lies: a stale address": says("getGuestIPAddress", "192.168.6.77\n", 0),
    "vmrun lies: a soft stop that fails": lambda lab: setattr(lab.vmrun, "soft_stop_fails", True),
}
