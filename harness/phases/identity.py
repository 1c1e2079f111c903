"""What makes a machine the same one after a restart, asked of the guest before and after; the judges are pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from harness.config.model import MarkersSpec
from harness.machine import Machine
from harness.resume import MACHINE_ID, RUNS
from harness.seed.model import INSTALLER_RUNS
from harness.verdict import Check, judge

# Name and age of what cloud-init writes once per instance.
FIRST_BOOT = "stat -L -c %n:%Y /var/lib/cloud/instance/sem/*"


@dataclass(frozen=True)
class Identity:
    """What tells one boot, one installation and one first boot from another.

    Attributes:
        host_keys: The public SSH host keys that lie in the guest.
        instance: cloud-init's instance id.
        installer_runs: The counter that our installer keeps on the disk; empty where another installer was at work.
        iso_copy: Time and content of the copy marker.
        first_boot: The age of every file that cloud-init writes once per instance.
    """

    boot_id: str
    machine_id: str
    host_keys: str
    instance: str
    installer_runs: str
    iso_copy: str
    first_boot: str


def observe_identity(machine: Machine, markers: MarkersSpec) -> Identity:
    """Ask the guest who it is.

    Raises:
        GuestError: It does not say.
    """
    iso_copy = shlex.quote(markers.iso_copy)
    installation = ask_installation(machine)
    machine.learn(installation)  # a run that goes on with this machine compares it
    return Identity(
        boot_id=_ask(machine, "cat /proc/sys/kernel/random/boot_id"),
        machine_id=installation[MACHINE_ID],
        host_keys=_ask(machine, "cat /etc/ssh/ssh_host_*_key.pub"),
        instance=_ask(machine, "cat /var/lib/cloud/data/instance-id"),
        installer_runs=installation[RUNS],
        iso_copy=_ask(machine, f"stat -c %Y {iso_copy}; cat {iso_copy}"),
        first_boot=_ask(machine, FIRST_BOOT),
    )


def ask_installation(machine: Machine) -> dict[str, str]:
    """Return what tells this installation from another one.

    Raises:
        GuestError: The guest does not say.
    """
    return {
        MACHINE_ID: _ask(machine, "cat /etc/machine-id"),
        RUNS: _ask(machine, f"cat {INSTALLER_RUNS}", optional=not machine.sends_events),
    }


def _ask(machine: Machine, command: str, *, optional: bool = False) -> str:
    said = machine.run(command, as_root=True)
    if not said.ok and not optional:
        raise machine.guest_error(f"{said.command}: {said.stderr.strip()}")
    return said.stdout.strip() if said.ok else ""


def judge_restarted(name: str, before: Identity, after: Identity) -> Check:
    """Return whether another boot answers than before: an answer alone proves nothing."""
    return judge(
        name,
        ok=bool(after.boot_id) and after.boot_id != before.boot_id,
        expected=f"another boot id than {before.boot_id}",
        seen=after.boot_id,
        remedy="the machine did not restart: look at its console",
    )


def judge_same_machine(name: str, before: Identity, after: Identity) -> Check:
    """Return whether it is the installation of before: its machine id and its host keys."""
    same_keys = after.host_keys == before.host_keys
    return judge(
        name,
        ok=bool(after.machine_id) and after.machine_id == before.machine_id and bool(after.host_keys) and same_keys,
        expected=f"machine id {before.machine_id} and {len(before.host_keys.splitlines())} host keys as before",
        seen=f"machine id {after.machine_id}, {'the same' if same_keys else 'other'} host keys",
        remedy="this is another installation than the one before the restart",
    )


def judge_installer(name: str, before: Identity, after: Identity, spoke: tuple[str, ...]) -> Check:
    """Return whether no installer ran since `before`.

    Args:
        spoke: The installer's events since then. It counts each of its runs on the disk, refused ones included.
    """
    counted = f"{after.installer_runs} run(s) counted" if after.installer_runs else "no counter on this disk"
    same = after.iso_copy == before.iso_copy
    return judge(
        name,
        ok=same and not spoke and after.installer_runs == before.installer_runs and after.installer_runs in ("1", ""),
        expected="one run counted on the disk, the copy marker of before, and no installer on the serial line",
        seen=f"{counted}; {'the same marker' if same else f'another marker: {after.iso_copy}'}; "
        f"{', '.join(spoke) or 'no installer'}",
        remedy="the machine installs itself again: the disk must come first in bios.bootOrder",
    )


def judge_first_boot(name: str, before: Identity, after: Identity) -> Check:
    """Return whether cloud-init took the restart for a restart: the same instance, nothing done once more."""
    changed = sorted(set(after.first_boot.splitlines()) ^ set(before.first_boot.splitlines()))
    files = "; ".join(changed[:6]) if changed else f"{len(after.first_boot.splitlines())} files, none newer"
    return judge(
        name,
        ok=bool(after.first_boot) and not changed and bool(after.instance) and after.instance == before.instance,
        expected=f"instance {before.instance}, and its {len(before.first_boot.splitlines())} files as old as before",
        seen=f"instance {after.instance}, {files}",
        remedy="cloud-init took the restart for a new machine: compare its instance-id before and after",
    )


def installer_events(machine: Machine) -> tuple[str, ...]:
    """Return what an installer said since the machine was last switched on."""
    events = machine.boot.events if machine.boot else []
    return tuple(event.event for event in events if event.event.startswith("installer"))
