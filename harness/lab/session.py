"""From options to a `Lab`: which lab file, which hypervisor, which overlay, whose lock."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from harness import preflight as host
from harness.airgap.gateway import Gateway, GatewayContext
from harness.config import LabSpec, Reach, load_lab
from harness.config.loader import EMBEDDED_OVERLAY
from harness.config.model import host_path
from harness.config.plan import LabPlan, make_plan
from harness.config.secret_reference import resolve
from harness.core.deadline import SessionClock
from harness.core.layout import HOME, LEDGER, RunFiles
from harness.lab.lab import Lab
from harness.lab.resume.continuation import Resumption
from harness.lab.resume.decision import ResumeMode
from harness.lab.resume.history import find_past
from harness.machine.context import RunContext
from harness.machine.machine import Machine
from harness.ownership.lab_lock import lab_lock
from harness.ownership.ledger import Ledger
from harness.ownership.register import register_home
from harness.phases import CARRIED_PHASES
from harness.preflight.facts import observe
from harness.results.journal import Journal
from harness.seed.inspect import inspect_iso
from harness.seed.model import IsoInfo
from harness.system.ports import HeldPorts
from harness.vmrun import GuestLogin, Vmrun
from harness.vmrun.discovery import Hypervisor, Kind, find_hypervisor


@dataclass(frozen=True)
class Selection:
    """The lab and the hypervisor that the options lead to; nothing is created yet."""

    lab_file: Path
    spec: LabSpec
    overlay: str | None
    hypervisor: Hypervisor

    def plan(self, run_id: str, ports: tuple[int, ...] = ()) -> LabPlan:
        """Return the plan of this lab; without ports, forwarded ones are left open."""
        return make_plan(self.spec, self.lab_file, overlay=self.overlay, run_id=run_id, ports=ports)

    @property
    def vm_directory(self) -> Path:
        """Where the machines are."""
        return host_path(self.spec.vm_directory, self.lab_file.resolve().parent)


def select(lab_file: Path, *, vmrun: str | None = None, overlay: str | None = None) -> Selection:
    """Return the lab of that file on the hypervisor that is found.

    The overlay `embedded` is laid on top when the embedded hypervisor is used and no other overlay is named.

    Raises:
        UsageError: The lab file or a named `vmrun` is wrong.
        HostError: No hypervisor can be used.
    """
    base = load_lab(lab_file, overlay)
    directory = lab_file.resolve().parent
    hypervisor = find_hypervisor(
        option=vmrun, setting=base.hypervisor.vmrun, base=directory, host_type=base.hypervisor.type
    )
    if overlay is None and hypervisor.kind is Kind.EMBEDDED and EMBEDDED_OVERLAY in base.overlays:
        overlay = EMBEDDED_OVERLAY
    spec = load_lab(lab_file, overlay, platform=sys.platform)
    home = host_path(spec.vm_directory, directory) / HOME
    return Selection(lab_file, spec, overlay, hypervisor.with_home(home))


def new_run_id(now: datetime | None = None) -> str:
    """Return a name for a run that sorts by time, is a file name everywhere, and that no other run has."""
    return (now or datetime.now().astimezone()).strftime("%Y-%m-%dT%H-%M-%S") + "-" + secrets.token_hex(2)


def ledger_of(selection: Selection) -> Ledger:
    """Return the ledger of the selected lab."""
    return Ledger(selection.vm_directory / LEDGER, selection.spec.name)


def lock(selection: Selection, say: Callable[[str], None] = lambda _: None) -> AbstractContextManager[None]:
    """Hold the selected lab for this session; see `harness.ownership.lab_lock`.

    Raises:
        LabBusyError: Another session holds it.
    """
    return lab_lock(selection.vm_directory, selection.spec.name, say)


def forward_ports(spec: LabSpec, held: HeldPorts) -> tuple[int, ...]:
    """Return the loopback port of each machine, or nothing where the machines are reached directly."""
    if spec.ssh.reach is Reach.DIRECT:
        return ()
    count = len(spec.machines)
    base = spec.ssh.forward_base_port
    return tuple(held.take() for _ in range(count)) if base is None else tuple(range(base, base + count))


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


def driver(selection: Selection, clock: SessionClock | None = None) -> Vmrun:
    """Return the driver of the selected hypervisor."""
    hypervisor = selection.hypervisor
    return Vmrun(
        hypervisor.vmrun_argv,
        host_type=hypervisor.host_type,
        env=hypervisor.env,
        clock=clock or SessionClock(),
    )


def guest_login(selection: Selection) -> GuestLogin | None:
    """Return the guest account that the lab file names for VMware's guest operations, or None.

    Raises:
        UsageError: Its password is not where the lab file says.
    """
    tools = selection.spec.tools
    if tools is None:
        return None
    return GuestLogin(tools.user, resolve(tools.password, selection.lab_file.resolve().parent))


def _iso(path: Path) -> IsoInfo | None:
    """Return what the seed says of itself; what is wrong with it is the environment phase's to tell."""
    return observe(lambda: inspect_iso(path)).value
