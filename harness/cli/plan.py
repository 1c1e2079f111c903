"""`lab plan`: everything that a run would create, as text."""

from __future__ import annotations

import click

from harness.cli.options import report_errors, say
from harness.cli.selection import selection_options
from harness.config.model import SeedSource, SeedsSpec
from harness.config.plan import LabPlan, MachinePlan
from harness.core.errors import UsageError
from harness.core.layout import POWER_ONS
from harness.image.release import guest_release, os_release
from harness.lab.selection import Selection
from harness.vmrun.vdiskmanager import create_argv


@click.command()
@report_errors
@selection_options
def plan(selection: Selection) -> None:
    """Print everything that a run would create.

    Files, VMX keys, ports, commands, sizes and deadlines. Nothing is changed.
    """
    say(plan_text(selection, selection.plan("<run>")))


def plan_text(selection: Selection, plan: LabPlan) -> str:
    """Return the plan as text: files, VMX keys, ports, commands, sizes, deadlines."""
    spec = plan.spec
    lines = [
        f"lab          {spec.name}",
        f"lab file     {plan.lab_file}",
        f"overlay      {plan.overlay or 'none'}",
        *_overlay_lines(selection),
        f"hypervisor   {selection.hypervisor.kind.value}: {' '.join(selection.hypervisor.vmrun_argv)}",
        f"directory    {plan.vm_directory}",
        f"seeds        {plan.seed_directory} ({seeds_text(spec.seeds)})",
        f"ssh key      {plan.ssh_key}",
        f"network      {spec.network.vmnet} {spec.network.subnet}, gateway {spec.network.gateway}",
        f"memory       {plan.memory_mib} MiB for {len(plan.machines)} machines",
        f"disk         {plan.disk_mib} MiB at the least, {sum(m.disk_gib for m in plan.machines)} GiB when full",
        f"afterwards   keep: {spec.keep.value}, for {spec.keep_for or 'ever'}",
        "deadlines    " + ", ".join(f"{key} {value} s" for key, value in spec.deadlines_s),
    ]
    for machine in plan.machines:
        lines += ["", *_machine_lines(selection, plan, machine)]
    return "\n".join(lines)


def seeds_text(seeds: SeedsSpec) -> str:
    """Return the source of the seed ISOs.

    For built ones, the distribution that they install is in the text, for Ubuntu's the ISO that they are made of.
    """
    if seeds.source is SeedSource.UBUNTU:
        return f"{seeds.source.value}: {seeds.iso}"
    if seeds.source is not SeedSource.BUILT:
        return seeds.source.value
    try:
        return f"{seeds.source.value}: {guest_release(seeds, os_release())}"
    except UsageError as error:
        return f"{seeds.source.value}: {error.what}"


def _overlay_lines(selection: Selection) -> list[str]:
    if selection.overlay is None:
        return []
    return [f"  {path} = {value}" for path, value in _leaves(selection.spec.overlays[selection.overlay], "")]


def _leaves(value: object, path: str) -> list[tuple[str, object]]:
    if not isinstance(value, dict):
        return [(path, value)]
    return [leaf for key, item in value.items() for leaf in _leaves(item, f"{path}.{key}" if path else str(key))]


def _machine_lines(selection: Selection, plan: LabPlan, machine: MachinePlan) -> list[str]:
    files, tools = machine.files, selection.hypervisor
    way_in = f"{machine.endpoint.host}:{machine.endpoint.port or '<free port>'}"
    hardware = plan.spec.hardware
    disk = create_argv(tools.vdiskmanager_argv, files.disk, machine.disk_gib, hardware.disk_type, "lsilogic")
    start = (*tools.vmrun_argv, "-T", tools.host_type, "start", str(files.vmx), plan.spec.hypervisor.display)
    return [
        f"{machine.name} ({machine.role.value}), {machine.address}, ssh at {way_in}",
        *([f"  installer  {machine.installer}"] if machine.installer else []),
        f"  seed       {machine.seed}",
        f"  creates    {files.vmx}",
        f"             {files.disk}",
        *(f"             {files.serial(number)}" for number in range(1, POWER_ONS + 1)),
        f"  runs       {' '.join(disk)}",
        f"             {' '.join(start)}",
        *(f"  vmx        {key} = {value!r}" for key, value in machine.vmx.items()),
    ]
