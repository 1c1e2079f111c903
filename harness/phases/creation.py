"""Creation: directory, blank disk and VMX, each read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from harness.config.model import DeadlinesSpec
from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim
from harness.core.private import keep_file_private
from harness.core.verdict import Check, Phase
from harness.ownership.register import register_directory
from harness.vmrun.vdiskmanager import CREATE_TYPES, create_disk
from harness.vmware.vmx import Vmx
from harness.vmware.vmx_devices import vmx_differences

if TYPE_CHECKING:
    from harness.machine.machine import Machine

PHASE = Phase.CREATION
DISK = CheckSpec(PHASE, "virtual disk", (Claim.BUILT, Claim.INSTALLED), "the size and type of the plan")
VMX = CheckSpec(PHASE, "vmx", (Claim.BUILT,), "every key as planned, and no further device")
CHECKS = (DISK, VMX)


def run(machine: Machine, _limits: DeadlinesSpec) -> Iterator[Check]:
    """Register the directory in the ledger, then create disk and VMX."""
    plan, context = machine.plan, machine.context
    register_directory(context.ledger, plan, context.run_id)
    before = set(plan.files.directory.iterdir())
    disk_type = context.plan.spec.hardware.disk_type
    tool = context.hypervisor
    disk = create_disk(tool.vdiskmanager_argv, plan.files.disk, plan.disk_gib, disk_type, env=tool.env)
    for path in set(plan.files.directory.iterdir()) - before:
        keep_file_private(path)
    machine.journal.state("disk created")
    yield DISK.judge(
        ok=disk.capacity_bytes == plan.disk_gib << 30 and disk.create_type == CREATE_TYPES[disk_type],
        expected=f"{plan.disk_gib} GiB, {CREATE_TYPES[disk_type]}",
        seen=f"{disk.capacity_gib:g} GiB, {disk.create_type}, {disk.allocated_bytes >> 10} KiB on the host",
        remedy="run the disk tool by hand; `lab plan` prints its command",
    )
    write_vmx(machine)
    machine.journal.state("created")
    yield judge_vmx(plan.vmx, dict(Vmx.read(plan.files.vmx).items()))


def write_vmx(machine: Machine) -> None:
    """Write the planned VMX."""
    vmx = Vmx.parse("")
    vmx.update(machine.plan.vmx.items())
    vmx.write(machine.plan.files.vmx)


def judge_vmx(planned: Mapping[str, str], read: Mapping[str, str]) -> Check:
    """Return whether every planned key has its value, and no further device is there."""
    wrong = vmx_differences(planned, read)
    return VMX.judge(
        ok=not wrong,
        expected=f"{len(planned)} keys as planned, and no further device",
        seen="; ".join(wrong) or f"{len(planned)} keys as planned, and no further device",
        remedy="something rewrote the VMX: look for another program that holds this machine",
    )
