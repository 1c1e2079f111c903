"""`lab plan`: everything that a run would create, as text."""

from __future__ import annotations

import click

from harness.cli.options import report_errors, say
from harness.cli.selection import selection_options
from harness.config.k3s_size import brings_k3s
from harness.config.model import SeedSource, SeedsSpec
from harness.config.payload_spec import is_address
from harness.config.plan import LabPlan, MachinePlan
from harness.core.errors import UsageError
from harness.core.layout import POWER_ONS, cache_directory
from harness.image.release import guest_release, os_release
from harness.lab.selection import Selection
from harness.payload.collect import PayloadSource, host_file, payload_sources
from harness.vmrun.vdiskmanager import create_argv

_K3S_PLACES = [
    "  installed: k3s/k3s to /usr/local/bin/k3s, images/* to /var/lib/rancher/k3s/agent/images, before its first start",
    "  written: config.yaml, registries.yaml and token in /etc/rancher/k3s",
]


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
        *payload_lines(plan),
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


def payload_lines(plan: LabPlan) -> list[str]:
    """Return which files the payload brings into every guest, and how large they are."""
    sources = payload_sources(plan.spec.payload)
    if not sources:
        return []
    sizes = [_size_of(source, plan) for source in sources]
    total = sum(size for size in sizes if isinstance(size, int))
    lines = [f"payload      {len(sources)} files, {_mib(total)} known, to {plan.spec.markers.payload} of every guest"]
    for source, size in zip(sources, sizes, strict=True):
        shown = size if isinstance(size, str) else _mib(size)
        lines.append(f"  {source.path:<32} {shown:>12}  {source.source}")
    return [*lines, *_K3S_PLACES] if brings_k3s(plan.spec) else lines


def _size_of(source: PayloadSource, plan: LabPlan) -> int | str:
    """Return the size of a payload file, or why it is unknown."""
    path = host_file(source, plan.lab_file, cache_directory())
    if path.is_file():
        return path.stat().st_size
    return "to download" if is_address(source.source) else "missing"


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB"


def _overlay_lines(selection: Selection) -> list[str]:
    if selection.overlay is None:
        return []
    overlays = [selection.spec.overlays[name.strip()] for name in selection.overlay.split(",")]
    return [f"  {path} = {value}" for overlay in overlays for path, value in _leaves(overlay, "")]


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
