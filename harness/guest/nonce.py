"""Identify this run's machine by the nonce in its serial number."""

from __future__ import annotations

from dataclasses import dataclass

from harness.config.plan import Endpoint, LabPlan, MachinePlan
from harness.core.errors import GuestError
from harness.guest.ssh_connection import SshTarget

# Each file has one line. Only root can read the second; VMware and vmrun-qemu derive it from the VMX's `uuid.bios`.
NONCE_COMMAND = "cat /proc/sys/kernel/random/boot_id /sys/class/dmi/id/product_serial"


@dataclass(frozen=True)
class NonceReading:
    """Boot and machine that answer.

    `nonce` is empty if the serial number holds none.
    """

    boot_id: str
    nonce: str
    serial: str


def parse_reading(text: str) -> NonceReading:
    """Parse the output of `NONCE_COMMAND`."""
    lines = [*text.splitlines(), "", ""]
    return NonceReading(lines[0].strip(), nonce_of(lines[1]), lines[1].strip())


def nonce_of(serial: str) -> str:
    """Return the 32 hex digits of a serial number `VMware-…`, or "".

    VMware writes them as `VMware-56 4d 0a … 0b-0c … 0f`.
    """
    head, _, rest = serial.strip().partition("VMware-")
    digits = rest.replace(" ", "").replace("-", "").lower()
    return digits if not head and len(digits) == 32 and set(digits) <= set("0123456789abcdef") else ""


def ssh_target(lab: LabPlan, name: str, endpoint: Endpoint, host_key: str | None) -> SshTarget:
    """Return the SSH target of a machine, with a pinned host key."""
    ssh = lab.spec.ssh
    return SshTarget(name, endpoint.host, endpoint.port, ssh.user, lab.ssh_key, host_key)


def another_machine_error(machine: MachinePlan, target: SshTarget, seen: NonceReading) -> GuestError:
    """Return the error for a login to a machine of another run."""
    return GuestError(
        f"another machine answers at {target.host}:{target.port}: it is not the one that this run created",
        where=machine.name,
        detail=f"its serial number is {seen.serial or 'empty'}; this run's machine has {machine.nonce}",
        remedy=f"find the other machine with the address {machine.address} and power it off: "
        "one of an earlier run or of another lab",
    )
