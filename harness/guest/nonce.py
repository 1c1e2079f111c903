"""Whose machine answers: the serial number in a guest's firmware is the nonce that this run gave the machine."""

from __future__ import annotations

from dataclasses import dataclass

from harness.config.plan import Endpoint, LabPlan, MachinePlan
from harness.core.errors import GuestError
from harness.guest.ssh_login import SshTarget

# Both are one line. The second is readable for root alone; VMware and vmrun-qemu make it of the VMX's `uuid.bios`.
NONCE_COMMAND = "cat /proc/sys/kernel/random/boot_id /sys/class/dmi/id/product_serial"


@dataclass(frozen=True)
class NonceReading:
    """Which boot of which machine answers; `nonce` is empty where the firmware names none of ours."""

    boot_id: str
    nonce: str
    serial: str


def parse_reading(text: str) -> NonceReading:
    """Return the answer to `NONCE_COMMAND`."""
    lines = [*text.splitlines(), "", ""]
    return NonceReading(lines[0].strip(), nonce_of(lines[1]), lines[1].strip())


def nonce_of(serial: str) -> str:
    """Return the 32 hex digits of `VMware-56 4d 0a … 0b-0c … 0f`, or nothing where it is no such serial number."""
    head, _, rest = serial.strip().partition("VMware-")
    digits = rest.replace(" ", "").replace("-", "").lower()
    return digits if not head and len(digits) == 32 and set(digits) <= set("0123456789abcdef") else ""


def ssh_target(lab: LabPlan, name: str, endpoint: Endpoint, host_key: str | None) -> SshTarget:
    """Return how to log in to that machine; with a host key no other host is talked to."""
    ssh = lab.spec.ssh
    return SshTarget(name, endpoint.host, endpoint.port, ssh.user, lab.ssh_key, host_key)


def another_machine_error(machine: MachinePlan, target: SshTarget, who: NonceReading) -> GuestError:
    """Return the error of a login that led to a machine of an earlier run, or of a neighbour."""
    return GuestError(
        f"another machine answers at {target.host}:{target.port}: it is not the one that this run created",
        where=machine.name,
        said=f"its serial number is {who.serial or 'empty'}; this run's machine has {machine.nonce}",
        remedy=f"find the other machine with the address {machine.address} and switch it off: "
        "one of an earlier run, or a neighbour's",
    )
