"""Open the lab of a run, and journal what the run is."""

from __future__ import annotations

import hashlib
import os
import platform
import socket
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path

import psutil

from harness.airgap.gateway import Gateway, GatewayContext
from harness.core.deadline import SessionClock
from harness.core.errors import HarnessError
from harness.core.layout import RunFiles
from harness.core.secret import redact
from harness.lab.lab import Lab
from harness.lab.required_claims import required_claims
from harness.lab.resume.continuation import Resumption
from harness.lab.resume.decision import RecordedMachine, ResumeMode, Unseen
from harness.lab.resume.history import find_recorded
from harness.lab.resume.machine_record import read_records
from harness.lab.selection import Selection, driver, forward_ports, guest_login, ledger_of
from harness.machine.context import RunContext
from harness.machine.machine import Machine
from harness.ownership.register import register_home
from harness.phases import CARRIED_PHASES, phase_limits
from harness.preflight.collect import collect
from harness.preflight.facts import observe
from harness.results.claim_rules import Asked
from harness.results.journal import Journal
from harness.results.journal_events import RUN_START, run_start
from harness.results.model import HypervisorFacts, MachineFacts, RunHost, RunResult
from harness.seed.foreign.check import checked_reader, utc_now
from harness.seed.inspect import inspect_iso
from harness.seed.model import IsoInfo
from harness.system.ports import HeldPorts
from harness.system.process import run as run_program
from harness.vmrun.discovery import Kind
from harness.vmrun.driver import Vmrun

# Distributions whose versions are in the report.
_PACKAGES = (
    "pytest",
    "pytest-order",
    "pytest-timeout",
    "pytest-testinfra",
    "paramiko",
    "PyYAML",
    "pydantic",
    "pycdlib",
)


def open_lab(
    selection: Selection, run: RunFiles, journal: Journal, ports: HeldPorts, mode: ResumeMode = ResumeMode.FRESH
) -> Lab:
    """Return the lab of this run. No machine is touched yet.

    Args:
        selection: The lab file and the hypervisor.
        run: The run directory; its name is the run's id.
        journal: The run's journal.
        ports: Holds the loopback ports of the machines.
        mode: What the run does with machines of an earlier run.

    Raises:
        UsageError: The lab file names a password that cannot be found.
        HostError: The ledger cannot be written.
    """
    login = guest_login(selection)
    clock = SessionClock()
    run_id = run.directory.name
    plan = selection.plan(run_id, forward_ports(selection.spec, ports))
    vmrun = driver(selection, clock)
    ledger = ledger_of(selection)
    register_home(ledger, selection.hypervisor.home)
    context = RunContext(
        plan=plan,
        run_id=run_id,
        hypervisor=selection.hypervisor,
        vmrun=vmrun,
        ledger=ledger,
        journal=journal,
        ports=ports,
        run=run,
        gateway=Gateway(GatewayContext(plan, run, ledger), selection.hypervisor.kind, vmrun, clock),
        clock=clock,
        login=login,
    )
    machines = [Machine(context, machine, _iso(machine.seed)) for machine in plan.machines]
    host_facts = partial(collect, plan, selection.hypervisor, vmrun, checked_reader(plan, utc_now))
    return Lab(clock, context, machines, host_facts, _resumption(selection, run, mode))


def _resumption(selection: Selection, run: RunFiles, mode: ResumeMode) -> Resumption:
    """Return what earlier runs recorded: beside the machines, and in journals beside this run's."""
    spec, vms, reports = selection.spec, selection.vm_directory, run.directory.parent
    recorded: dict[str, RecordedMachine | Unseen] = {}
    if mode is not ResumeMode.FRESH:
        beside = read_records(ledger_of(selection), spec.machines)
        recorded = find_recorded(reports, spec.name, vms, spec.machines, beside)
    return Resumption(mode, recorded, selection.plan, CARRIED_PHASES)


def _iso(path: Path) -> IsoInfo | None:
    """Return the facts of a seed; None for an unusable one.

    The environment phase reports that.
    """
    return observe(lambda: inspect_iso(path)).value


def journal_run_start(lab: Lab, selection: Selection, argv: Sequence[str], asked: Asked) -> None:
    """Journal the first event: lab, command, host, hypervisor, planned machines, claims.

    Raises:
        OSError: The lab file or the journal cannot be used.
    """
    started = RunResult(
        run_id=lab.context.run_id,
        lab=selection.spec.name,
        lab_file=str(selection.lab_file),
        lab_file_sha256=hashlib.sha256(selection.lab_file.read_bytes()).hexdigest(),
        overlay=selection.overlay or "",
        argv=tuple(redact(word) for word in ("pytest", *argv)),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        hypervisor=_hypervisor(selection, lab.context.vmrun),
        host=_host(selection.lab_file.parent),
        machines=tuple(_machine(machine) for machine in lab.machines.values()),
        required=tuple(claim.value for claim in required_claims(lab)),
        asked=asked.places,
        declared=asked.declared,
        left_out=asked.left_out,
        limits_s={phase.value: limit for phase, limit in phase_limits(selection.spec.deadlines_s).items()},
    )
    lab.context.journal.write(RUN_START, **run_start(started))


def _hypervisor(selection: Selection, vmrun: Vmrun) -> HypervisorFacts:
    found = selection.hypervisor
    about = vmrun.about() if found.kind is Kind.EMBEDDED else {}
    return HypervisorFacts(
        kind=found.kind.value,
        executable=" ".join(found.vmrun_argv),
        version=found.version,
        accelerator=str(about.get("accelerator", "")),
        why=str(about.get("why", "")),
    )


def _host(directory: Path) -> RunHost:
    return RunHost(
        name=socket.gethostname(),
        os=platform.platform(),
        cpus=os.cpu_count() or 0,
        memory_mib=psutil.virtual_memory().total >> 20,
        python=sys.version.split()[0],
        packages={name: metadata.version(name) for name in _PACKAGES},
        git_commit=_commit(directory),
    )


def _commit(directory: Path) -> str:
    try:
        done = run_program(["git", "-C", directory, "rev-parse", "HEAD"], timeout_s=10)
    except HarnessError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _machine(machine: Machine) -> MachineFacts:
    plan = machine.plan
    return MachineFacts(
        name=plan.name,
        role=plan.role.value,
        address=str(plan.address),
        endpoint=f"{plan.endpoint.host}:{plan.endpoint.port}",
        memory_mib=plan.memory_mib,
        cpus=plan.cpus,
        disk_gib=plan.disk_gib,
        seed=plan.seed.name,
        input_hash=(machine.iso.input_hash if machine.iso else None) or "",
    )
