"""Close a run.

Four steps: stop the threads, collect evidence, delete or keep the machines, write the results.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from harness.config.model import Keep
from harness.core.best_effort import run_and_collect_error
from harness.core.errors import HarnessError
from harness.lab.keep_policy import MachineUse, deleted_uses, expiry, keep_reason, later_expiry
from harness.lab.lab import Lab
from harness.lab.resume.machine_record import write_records
from harness.lab.ssh_access import write_ssh_config
from harness.machine.context import RunContext
from harness.machine.machine import Machine
from harness.machine.removal import Removal, remove_all, remove_rest
from harness.report.writer import point_latest, write_index, write_reports
from harness.results.journal_events import MACHINE_FACTS, NOTE, RUN_END, run_end
from harness.results.model import KeptMachine, RunResult


@dataclass(frozen=True)
class RunEnd:
    """How a run ended.

    Attributes:
        exit_status: pytest's, or 1 where that was 0 and there are problems.
        kept: Why each machine that still exists was kept, by name.
        kept_until: When the machines are no longer wanted: UTC, ISO 8601; empty means without end, or none is kept.
        problems: What could not be done, as text.
        result: None where the report could not be written.
    """

    exit_status: int
    kept: Mapping[str, str] = field(default_factory=dict)
    kept_until: str = ""
    problems: tuple[str, ...] = ()
    result: RunResult | None = None

    def with_problems(self, problems: Iterable[str]) -> RunEnd:
        """Return the same end with more problems."""
        known = (*self.problems, *problems)
        return replace(self, exit_status=self.exit_status or int(bool(known)), problems=known)


def close_run(lab: Lab, keep: Keep, exit_status: int, *, junit: Path, problems: Sequence[str] = ()) -> RunEnd:
    """Close the run in four steps.

    Each step is taken, whatever happened in the others.

    Args:
        lab: The lab of this run.
        keep: The keep policy.
        exit_status: pytest's.
        junit: Where pytest wrote its own results.
        problems: What could not be done before.

    Raises:
        KeyboardInterrupt: A second Ctrl-C. The results are written all the same.
    """
    end = RunEnd(exit_status).with_problems(problems)
    green = end.exit_status == 0
    try:
        end = _take("stopping the threads", partial(stop_threads, lab), end)
        end = _take("the evidence", partial(collect_evidence, lab, deleted=deleted_uses(keep, green=green)), end)
        end = _take("deleting machines", partial(delete_or_keep, lab, keep=keep, green=green), end)
        end = end.with_problems(run_and_collect_error("the records of the machines", partial(write_records, lab)))
    finally:
        end = write_results(lab, end, junit=junit)
    return end


def _take(what: str, step: Callable[[RunEnd], RunEnd], end: RunEnd) -> RunEnd:
    """Take one step; an exception of it is a problem."""
    ends: list[RunEnd] = []
    problems = run_and_collect_error(what, lambda: ends.append(step(end)))
    return next(iter(ends), end).with_problems(problems)


def stop_threads(lab: Lab, end: RunEnd) -> RunEnd:
    """Stop the machines' threads and close the gateway."""
    problems = run_and_collect_error("the threads", lab.stop)
    return end.with_problems((*problems, *run_and_collect_error("the gateway", lab.context.gateway.close)))


def collect_evidence(lab: Lab, end: RunEnd, *, deleted: Sequence[MachineUse]) -> RunEnd:
    """Collect the last evidence of every existing machine.

    Args:
        lab: The lab of this run.
        end: What the steps before led to.
        deleted: Machines of these uses are deleted next: an unresponsive one is powered off, and its disk read.
    """
    machines = lab.existing_machines()

    def collect(machine: Machine) -> tuple[str, ...]:
        return run_and_collect_error(f"evidence of {machine.name}", partial(lab.evidence.collect_last, machine))

    with ThreadPoolExecutor(max_workers=max(1, len(machines))) as pool:
        problems = [text for texts in pool.map(collect, machines) for text in texts]
    for machine in machines:
        if lab.use_of(machine.name) in deleted:
            problems += run_and_collect_error(
                f"evidence of {machine.name}", partial(lab.evidence.collect_before_deletion, machine)
            )
    return end.with_problems(problems)


def delete_or_keep(lab: Lab, end: RunEnd, *, keep: Keep, green: bool) -> RunEnd:
    """Delete machines by the keep policy; record why the others are kept.

    The expiry time belongs to the lab. It starts anew where a machine is kept that this run worked on; it never gets
    shorter where another machine is kept, too.
    """
    deleted = deleted_uses(keep, green=green)
    names = [machine.name for machine in lab.existing_machines() if lab.use_of(machine.name) in deleted]
    problems = delete_machines(lab.context, names)
    uses = {machine.name: lab.use_of(machine.name) for machine in lab.existing_machines()}
    until = _kept_until(lab.context) if uses else ""
    if any(uses.values()):
        fresh = expiry(lab.context.plan.spec.keep_for_s)
        until = fresh if all(uses.values()) else later_expiry(until, fresh)
        problems += run_and_collect_error("the ledger", lambda: lab.context.ledger.keep_until(until))
    kept = {name: keep_reason(keep, use, green=green) for name, use in uses.items()}
    return replace(end, kept=kept, kept_until=until).with_problems(problems)


def delete_machines(context: RunContext, names: Sequence[str]) -> list[str]:
    """Delete these machines; return the problems.

    With the last machine of the lab, everything else that the ledger has is deleted.

    Without a readable ledger nothing is deleted: the environment phase reports that.
    """
    vmrun, ledger = context.vmrun, context.ledger
    if run_and_collect_error("the ledger", ledger.read):
        return []
    removals: list[Removal] = []
    power_s = context.plan.spec.deadlines_s.power
    problems = [
        *run_and_collect_error("machines", lambda: removals.extend(remove_all(vmrun, ledger, names, power_s))),
        *(str(removal) for removal in removals if removal.error is not None),
    ]
    for removal in removals:
        if removal.error is None:
            note = partial(context.journal.write, NOTE, removal.machine, text=str(removal))
            problems += run_and_collect_error("the journal", note)
    problems += run_and_collect_error("what else the lab has here", lambda: remove_rest(vmrun, ledger))
    return [*problems, *run_and_collect_error("the ledger", ledger.delete_scratch_file)]


def write_results(lab: Lab, end: RunEnd, *, junit: Path) -> RunEnd:
    """Write `ssh_config`, the journal's end, `junit.xml`, `latest` and the reports.

    Args:
        lab: The lab of this run.
        end: What the steps before led to.
        junit: Where pytest wrote its own results.
    """
    run, results = lab.run, list[RunResult]()
    problems = [*run_and_collect_error("the journal", lambda: _end_journal(lab, end))]
    if junit != run.junit:
        problems += run_and_collect_error("junit.xml", lambda: shutil.copyfile(junit, run.junit))
    problems += run_and_collect_error("the pointer to the newest run", lambda: point_latest(run.directory))
    problems += run_and_collect_error("the report", lambda: results.append(write_reports(run.directory)))
    problems += run_and_collect_error("the index of the runs", lambda: write_index(run.directory.parent))
    return replace(end, result=next(iter(results), None)).with_problems(problems)


def _end_journal(lab: Lab, end: RunEnd) -> None:
    """Write `ssh_config`, then the problems and the last event; close the journal."""
    journal, machines = lab.context.journal, lab.existing_machines()
    unwritten = run_and_collect_error("the way in", lambda: write_ssh_config(machines, lab.run))
    try:
        for text in (*end.problems, *unwritten):
            journal.write(NOTE, text=text)
        for machine in lab.machines.values():
            if machine.iso is not None and not machine.iso.input_hash:
                journal.write(MACHINE_FACTS, machine.name, facts={"seed_sha256": _sha256(machine.plan.seed)})
        ended = RunResult(
            ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
            kept=tuple(_kept_machine(lab, end, machine) for machine in machines),
        )
        journal.write(RUN_END, **run_end(end.exit_status, ended))
    finally:
        journal.close()


def _kept_machine(lab: Lab, end: RunEnd, machine: Machine) -> KeptMachine:
    return KeptMachine(
        name=machine.name,
        directory=str(machine.plan.files.directory),
        reason=end.kept.get(machine.name, ""),
        until=end.kept_until,
        enter=f"ssh -F {lab.run.ssh_config} {machine.name}",
        remove="lab down",
    )


def _kept_until(context: RunContext) -> str:
    with contextlib.suppress(HarnessError):
        return context.ledger.read().kept_until
    return ""


def _sha256(path: Path) -> str:
    """Return the digest of a seed without a manifest.

    It is computed at the end, when no guest is busy.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
