"""The identity of an installation, compared before and after a restart.

One script prints it. At the end of each boot a guest of our seeds runs it and sends the output as an event on its
serial port; any other guest gets it over SSH. The judges are pure.
"""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from harness.core.check_spec import CheckSpec
from harness.core.verdict import Check
from harness.image.spec import guest_file_text
from harness.machine.facts import MACHINE_ID, MARK, RUNS

if TYPE_CHECKING:
    from harness.machine.machine import Machine

SCRIPT = guest_file_text("lab-identity.sh")
EVENT, FIELD = "identity", "told"  # the event on the serial port, and its field


@dataclass(frozen=True)
class Identity:
    """The identity of a boot, an installation and a first boot.

    Attributes:
        host_keys: The public SSH host keys that lie in the guest, one a line.
        instance: cloud-init's instance id.
        installer_runs: The counter that our installer keeps on the disk; empty where another installer was at work.
        iso_copy: Time and content of the copy marker.
        first_boot: Name and age of every file that cloud-init writes once per instance, one a line.
        volume: The volume identifier of the medium in the CD drive; empty where there is none.
        drive: The error of reading the drive where it showed no volume identifier.
        second_drive: The error of reading a second CD drive, or that it was read; empty where there is none.
        source: How the guest reported this.
    """

    boot_id: str = ""
    machine_id: str = ""
    host_keys: str = ""
    instance: str = ""
    installer_runs: str = ""
    iso_copy: str = ""
    first_boot: str = ""
    volume: str = ""
    drive: str = ""
    second_drive: str = ""
    source: str = "over SSH"

    @property
    def installation(self) -> dict[str, str]:
        """What identifies this installation; a run that resumes the VM compares it.

        A second installation of the same VM has the same machine id (systemd takes it from the SMBIOS) and counts one
        run again. The times of its copy marker and of its first boot differ.
        """
        times = f"{self.iso_copy}\n{self.first_boot}"
        mark = hashlib.sha256(times.encode()).hexdigest()[:16]
        return {MACHINE_ID: self.machine_id, RUNS: self.installer_runs, MARK: mark}


# Only guests that are asked have one: it holds the data for Ubuntu's installer.
_SECOND_DRIVE = "[ ! -b /dev/sr1 ] || dd if=/dev/sr1 of=/dev/null bs=2048 count=1 2>&1 | sed 's/^/second_drive=/'\n"
_PRINTED = {field.name for field in fields(Identity)} - {"source"}


def parse_identity(text: str) -> Identity:
    """Return what `lab-identity.sh` printed; what it did not print is empty."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        found.setdefault(name, []).append(value.strip())
    return Identity(**{name: "\n".join(values) for name, values in found.items() if name in _PRINTED})


def question(copy_marker: str) -> str:
    """Return the command that asks a guest over SSH."""
    return f"set -- {shlex.quote(copy_marker)}\n{SCRIPT}{_SECOND_DRIVE}"


def observe_identity(machine: Machine) -> Identity:
    """Return the identity: over SSH after a login, else from the event.

    Raises:
        GuestError: The guest does not report it.
    """
    reported = None if machine.ssh.connected else identity_from_event(machine, machine.facts.boot_id)
    return reported or ask_identity(machine)


def ask_identity(machine: Machine) -> Identity:
    """Return the identity, read over SSH.

    Raises:
        GuestError: The guest does not report it.
    """
    reply = machine.ssh.run(question(machine.context.plan.spec.markers.iso_copy), as_root=True)
    return _complete(machine, parse_identity(reply.stdout), reply.stderr)


def identity_from_event(machine: Machine, boot_id: str) -> Identity | None:
    """Return the identity that the guest sent in that boot, or None.

    Raises:
        GuestError: It is not complete.
    """
    event = machine.console.last(EVENT, boot_id=boot_id)
    if event is None:
        return None
    reported = replace(parse_identity(event.fields.get(FIELD, "")), source="on the serial line")
    return _complete(machine, reported)


def _complete(machine: Machine, known: Identity, stderr: str = "") -> Identity:
    counted = ("installer_runs",) if machine.sends_events else ()
    needed = ("boot_id", "machine_id", "host_keys", "instance", "iso_copy", *counted)
    missing = [name for name in needed if not getattr(known, name)]
    if missing:
        missed = f"the guest does not report its {', '.join(missing)} {known.source}"
        raise machine.guest_error(": ".join(filter(None, [missed, stderr.strip()])))
    return known


def judge_restarted(check: CheckSpec, before: Identity, after: Identity) -> Check:
    """Return whether another boot answers than before: an answer alone proves nothing."""
    return check.judge(
        ok=bool(after.boot_id) and after.boot_id != before.boot_id,
        expected=f"another boot id than {before.boot_id}",
        seen=f"{after.boot_id}, reported {after.source}",
        remedy="the machine did not restart: look at its console",
    )


def judge_same_machine(check: CheckSpec, before: Identity, after: Identity) -> Check:
    """Return whether machine id and host keys are those of before."""
    same_keys = after.host_keys == before.host_keys
    return check.judge(
        ok=bool(after.machine_id) and after.machine_id == before.machine_id and bool(after.host_keys) and same_keys,
        expected=f"machine id {before.machine_id} and {len(before.host_keys.splitlines())} host keys as before",
        seen=f"machine id {after.machine_id}, {'the same' if same_keys else 'other'} host keys",
        remedy="this is another installation than the one before the restart",
    )


def judge_installer(check: CheckSpec, before: Identity, after: Identity, events: tuple[str, ...]) -> Check:
    """Return whether no installer ran since `before`.

    Args:
        events: The installer's events since then. It counts each of its runs on the disk, refused ones included.
    """
    counted = f"{after.installer_runs} run(s) counted" if after.installer_runs else "no counter on this disk"
    same = after.iso_copy == before.iso_copy
    return check.judge(
        ok=same and not events and after.installer_runs == before.installer_runs and after.installer_runs in ("1", ""),
        expected="one run counted on the disk, the copy marker of before, and no installer on the serial line",
        seen=f"{counted}; {'the same marker' if same else f'another marker: {after.iso_copy}'}; "
        f"{', '.join(events) or 'no installer'}",
        remedy="the machine installs itself again: the disk must come first in bios.bootOrder",
    )


def judge_first_boot(check: CheckSpec, before: Identity, after: Identity) -> Check:
    """Return whether cloud-init recognized the restart: the same instance and files."""
    changed = sorted(set(after.first_boot.splitlines()) ^ set(before.first_boot.splitlines()))
    files = "; ".join(changed[:6]) if changed else f"{len(after.first_boot.splitlines())} files, none newer"
    return check.judge(
        ok=bool(after.first_boot) and not changed and bool(after.instance) and after.instance == before.instance,
        expected=f"instance {before.instance}, and its {len(before.first_boot.splitlines())} files as old as before",
        seen=f"instance {after.instance}, {files}",
        remedy="cloud-init took the restart for a new machine: compare its instance-id before and after",
    )


def installer_events(machine: Machine) -> tuple[str, ...]:
    """Return the installer's events since the last power-on."""
    events = machine.console.events
    return tuple(event.event for event in events if event.event.startswith("installer"))
