"""The first and the last event of a run: what is known before anything happens, and what is left behind."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import psutil

from harness.config.model import Keep, SeedSource
from harness.core.best_effort import run_and_collect_error
from harness.core.claims import Claim, Judgement
from harness.core.errors import HarnessError
from harness.core.layout import RunFiles
from harness.core.secret import redact
from harness.guest.ssh_config import SshHost, known_hosts_text, ssh_config
from harness.lab.keep_policy import Disposal, dispose
from harness.lab.lab import Lab
from harness.lab.selection import Selection
from harness.machine.machine import Machine
from harness.report.writer import point_latest, write_reports
from harness.results import journal_events as payload
from harness.results.claim_rules import Asked, default_required, judge_claims
from harness.results.model import HypervisorFacts, KeptMachine, MachineFacts, RunHost, RunResult
from harness.system.process import run as run_program
from harness.vmrun import Vmrun
from harness.vmrun.discovery import Kind

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


def open_run(lab: Lab, selection: Selection, run_id: str, argv: Sequence[str], asked: Asked) -> None:
    """Journal what the run is: lab, command, host, hypervisor, machines as planned, what it asks and has to prove."""
    started = RunResult(
        run_id=run_id,
        lab=selection.spec.name,
        lab_file=str(selection.lab_file),
        lab_file_sha256=hashlib.sha256(selection.lab_file.read_bytes()).hexdigest(),
        overlay=selection.overlay or "",
        argv=tuple(redact(word) for word in ("pytest", *argv)),
        started_at=_now(),
        hypervisor=_hypervisor(selection, lab.context.vmrun),
        host=_host(selection.lab_file.parent),
        machines=tuple(_machine(machine) for machine in lab.machines.values()),
        required=tuple(claim.value for claim in required_claims(lab)),
        declared=asked.declared,
        asked=asked.places,
        left_out=asked.left_out,
    )
    lab.context.journal.write(payload.RUN_START, **payload.run_start(started))


def required_claims(lab: Lab) -> tuple[Claim, ...]:
    """Return the claims that this run has to prove."""
    named = lab.context.plan.spec.claims.required
    if named is not None:
        return named
    context = lab.context
    own_seeds = context.plan.spec.seeds.source is SeedSource.BUILT
    return default_required(
        has_k3s=any(machine.iso and machine.iso.has_k3s for machine in lab.machines.values()),
        has_gateway=context.hypervisor.kind is Kind.EMBEDDED and own_seeds,
        own_seeds=own_seeds,
    )


def claims_of(lab: Lab, asked: Asked) -> tuple[Judgement, ...]:
    """Return how each claim stands by now."""
    required = [claim.value for claim in required_claims(lab)]
    return judge_claims(asked.declared, lab.recorded(), list(lab.machines), asked.places, required)


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        exit_status: As it was, or 1 where it was 0 and something could not be done.
        disposal: What became of the machines, and everything that could not be done.
        result: None where the report could not be written.
    """

    exit_status: int
    disposal: Disposal
    result: RunResult | None = None


def end_run(lab: Lab, keep: Keep, exit_status: int, troubles: Sequence[str], junit: Path) -> Ended:
    """Keep or remove the machines and write the results, each whatever becomes of the others.

    Args:
        exit_status: pytest's.
        troubles: What could not be done up to now.
        junit: Where pytest wrote its own results.
    """
    exit_status = exit_status or int(bool(troubles))
    ended = Ended(exit_status, Disposal(troubles=tuple(troubles)))
    try:
        disposal = dispose(lab, keep, green=exit_status == 0)
        told = (*troubles, *disposal.troubles)
        ended = Ended(exit_status or int(bool(told)), replace(disposal, troubles=told))
    finally:  # an impatient person's second Ctrl-C ends the disposal, not the report
        ended = _written(lab, ended, junit)
    return ended


def _written(lab: Lab, ended: Ended, junit: Path) -> Ended:
    results: list[RunResult] = []
    troubles = run_and_collect_error("the journal", lambda: close_run(lab, ended.exit_status, ended.disposal))
    if junit != lab.run.junit:
        troubles += run_and_collect_error("junit.xml", lambda: shutil.copyfile(junit, lab.run.junit))
    troubles += run_and_collect_error("the pointer to the newest run", lambda: point_latest(lab.run.directory))
    troubles += run_and_collect_error("the report", lambda: results.append(write_reports(lab.run.directory)))
    told = (*ended.disposal.troubles, *troubles)
    status = ended.exit_status or int(bool(troubles))
    return Ended(status, replace(ended.disposal, troubles=told), next(iter(results), None))


def close_run(lab: Lab, exit_status: int, disposal: Disposal) -> None:
    """Write `ssh_config`, journal the machines that are left and what could not be done, and close the journal."""
    kept = lab.claimed()
    way_in = run_and_collect_error("the way in", lambda: write_ssh_config(kept, lab.run))
    try:
        for trouble in (*disposal.troubles, *way_in):
            lab.context.journal.write(payload.NOTE, text=trouble)
        _journal_end(lab, kept, exit_status, disposal)
    finally:
        lab.context.journal.close()


def _journal_end(lab: Lab, kept: Sequence[Machine], exit_status: int, disposal: Disposal) -> None:
    for machine in lab.machines.values():
        if machine.iso is not None and not machine.iso.input_hash:
            digest = {"seed_sha256": _sha256(machine.plan.seed)}
            lab.context.journal.write(payload.MACHINE_FACTS, machine.name, facts=digest)
    ended = RunResult(ended_at=_now(), kept=tuple(_kept(machine, lab.run, disposal) for machine in kept))
    lab.context.journal.write(payload.RUN_END, **payload.run_end(exit_status, ended))


def write_ssh_config(machines: Sequence[Machine], run: RunFiles) -> None:
    """Have `ssh -F ssh_config <machine>` work for these machines."""
    hosts = [_ssh_host(machine) for machine in machines]
    run.directory.mkdir(parents=True, exist_ok=True)
    run.known_hosts.write_text(known_hosts_text(hosts), encoding="utf-8", newline="\n")
    run.ssh_config.write_text(ssh_config(hosts, run.known_hosts), encoding="utf-8", newline="\n")


def _ssh_host(machine: Machine) -> SshHost:
    seen = machine.facts.host_key or (machine.iso.host_key if machine.iso else None)
    host, port, context = machine.plan.endpoint.host, machine.context.port_of(machine.plan), machine.context.plan
    key = seen
    return SshHost(machine.name, host, port, context.spec.ssh.user, context.ssh_key, key)


def _sha256(path: Path) -> str:
    """Return the digest of a seed that says nothing of its inputs; taken at the end, when no guest is busy."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


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
        said = run_program(["git", "-C", directory, "rev-parse", "HEAD"], timeout_s=10)
    except HarnessError:
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""


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


def _kept(machine: Machine, run: RunFiles, disposal: Disposal) -> KeptMachine:
    return KeptMachine(
        name=machine.name,
        directory=str(machine.plan.files.directory),
        reason=disposal.reasons.get(machine.name, ""),
        until=disposal.until,
        enter=f"ssh -F {run.ssh_config} {machine.name}",
        remove="lab down",
    )
