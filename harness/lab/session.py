"""Open the lab of a session: plan, driver, ledger, gateway, machines."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from harness import preflight as host
from harness.airgap.gateway import Gateway, GatewayContext
from harness.core.deadline import SessionClock
from harness.core.layout import RunFiles
from harness.lab.lab import Lab
from harness.lab.resume.continuation import Resumption
from harness.lab.resume.decision import ResumeMode
from harness.lab.resume.history import find_past
from harness.lab.selection import Selection, driver, forward_ports, guest_login, ledger_of
from harness.machine.context import RunContext
from harness.machine.machine import Machine
from harness.ownership.register import register_home
from harness.phases import CARRIED_PHASES
from harness.preflight.facts import observe
from harness.results.journal import Journal
from harness.seed.inspect import inspect_iso
from harness.seed.model import IsoInfo
from harness.system.ports import HeldPorts


def open_lab(
    selection: Selection, run: RunFiles, journal: Journal, ports: HeldPorts, again: ResumeMode = ResumeMode.FRESH
) -> Lab:
    """Return the lab of this session, with nothing done yet; the run's id is the name of its directory."""
    login = guest_login(selection)
    clock = SessionClock()
    run_id = run.directory.name
    plan = selection.plan(run_id, forward_ports(selection.spec, ports))
    vmrun = driver(selection, clock)
    ledger = ledger_of(selection)
    register_home(ledger, selection.hypervisor.home)
    gateway = Gateway(GatewayContext(plan, run, ledger), selection.hypervisor.kind, vmrun, clock)
    context = RunContext(plan, run_id, selection.hypervisor, vmrun, ledger, journal, ports, run, gateway, clock, login)
    machines = [Machine(context, machine, _iso(machine.seed)) for machine in plan.machines]
    facts = partial(host.collect, plan, selection.hypervisor, vmrun, inspect_iso)
    return Lab(clock, context, machines, run, facts, _earlier(selection, run, again))


def _earlier(selection: Selection, run: RunFiles, again: ResumeMode) -> Resumption:
    """Return what earlier runs left to go on with: runs whose results lie beside this one's."""
    spec, vms = selection.spec, selection.vm_directory
    pasts = {} if again is ResumeMode.FRESH else find_past(run.directory.parent, spec.name, vms, spec.machines)
    return Resumption(again, pasts, selection.plan, CARRIED_PHASES)


def _iso(path: Path) -> IsoInfo | None:
    """Return what the seed says of itself; what is wrong with it is the environment phase's to tell."""
    return observe(lambda: inspect_iso(path)).value
