"""A run of the shipped lab file on a hypervisor in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fake_hypervisor import FakeHypervisor
from lab_file import changed

from harness.airgap.gateway import Gateway, GatewayContext
from harness.config.loader import build
from harness.config.plan import LabPlan, MachinePlan, make_plan
from harness.core.deadline import SYSTEM_CLOCK, Clock
from harness.core.errors import HostError
from harness.core.layout import LEDGER, RunFiles
from harness.lab.resume.continuation import Resumption
from harness.lab.resume.decision import ResumeMode
from harness.lab.selection import Selection
from harness.machine.context import RunContext
from harness.machine.machine import Machine
from harness.ownership.ledger import Ledger, MachineEntry
from harness.ownership.marker import write_marker
from harness.phases import CARRIED_PHASES
from harness.preflight.facts import HostFacts
from harness.results.journal import Journal, read_journal
from harness.seed.model import IsoInfo
from harness.system.ports import HeldPorts
from harness.vmrun.discovery import Hypervisor, Kind
from harness.vmrun.driver import Vmrun
from harness.vmware.vmx import Vmx

RUN_ID = "2026-01-02T03-04-05-abcd"
MASTER, WORKER = "k3s-master1", "k3s-worker1"
VMWARE = Hypervisor(Kind.VMWARE, ("vmrun",), ("vdisk",), "VMware")


def selection_of(directory: Path, *changes: tuple[str, str]) -> Selection:
    """Return the shipped lab with its VMs in that directory, on VMware."""
    path = directory / "lab.yaml"
    text = changed((r"'F:\VMs\AirgapLab'", "vms"), *changes)
    path.write_text(text, encoding="utf-8")
    return Selection(path, build(text, path, None), None, VMWARE)


def context_of(
    selection: Selection, hypervisor: FakeHypervisor, journal: Journal, clock: Clock = SYSTEM_CLOCK
) -> RunContext:
    """Return the context of a run of that lab."""
    plan = make_plan(selection.spec, selection.lab_file, overlay=None, run_id=RUN_ID)
    vmrun = Vmrun(("vmrun",), run=hypervisor, clock=clock)
    ledger = Ledger(selection.vm_directory / LEDGER, selection.spec.name)
    run = RunFiles(selection.lab_file.parent / "reports" / RUN_ID)
    return RunContext(
        plan=plan,
        run_id=RUN_ID,
        hypervisor=VMWARE,
        vmrun=vmrun,
        ledger=ledger,
        journal=journal,
        ports=HeldPorts(),
        run=run,
        gateway=Gateway(GatewayContext(plan, run, ledger), VMWARE.kind, vmrun, clock),
        clock=clock,
    )


def machine_of(context: RunContext, name: str = WORKER, *, events: bool = True) -> Machine:
    """Return a machine of that run; `events` says whether its seed reports on the serial line."""
    plan = context.plan.machine(name)
    iso = IsoInfo(plan.seed, "SEED", True, name, "worker", str(plan.address), events, "hash", None, ())
    return Machine(context, plan, iso)


def with_forwarded_ssh(context: RunContext, port: int) -> RunContext:
    """Return the context with SSH of every machine planned at a loopback port."""
    machines = tuple(
        replace(machine, endpoint=replace(machine.endpoint, host="127.0.0.1", port=port + index, forward=True))
        for index, machine in enumerate(context.plan.machines)
    )
    return replace(context, plan=replace(context.plan, machines=machines))


def no_facts() -> HostFacts:
    """Be a host of which nothing can be collected."""
    raise HostError("the host cannot be examined", remedy="-")


def no_resumption(plan: Callable[[str], LabPlan]) -> Resumption:
    """Return what a run has that continues none."""
    return Resumption(ResumeMode.FRESH, {}, plan, CARRIED_PHASES)


def create(context: RunContext, plan: MachinePlan, run_id: str = RUN_ID) -> MachineEntry:
    """Create a VM as the creation phase does, with its ledger entry."""
    entry = MachineEntry(plan.name, str(plan.files.directory), run_id, nonce=plan.nonce)
    context.ledger.write(entry)
    plan.files.directory.mkdir(parents=True)
    write_marker(plan.files.directory, entry.token, "about")
    vmx = Vmx.parse("")
    vmx.update(plan.vmx.items())
    vmx.write(plan.files.vmx)
    plan.files.disk.touch()
    return entry


def events_of(context: RunContext, kind: str) -> list[dict[str, object]]:
    """Return the journal's events of that kind."""
    return [event for event in read_journal(context.journal.path) if event["kind"] == kind]
