"""Continue machines of an earlier run: observe, decide, log in."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.config.plan import LabPlan, MachinePlan
from harness.core.best_effort import error_text
from harness.core.deadline import Cancelled
from harness.core.errors import DeadlineExpired, GuestError, HarnessError, HostError
from harness.core.files import host_error_from
from harness.core.verdict import Check, Phase, Status
from harness.lab.resume.decision import (
    Decision,
    ObservedMachine,
    Rebuild,
    RecordedMachine,
    ResumeMode,
    Unseen,
    confirm,
    decide,
    not_seen,
    start_over,
    unanswered,
)
from harness.lab.resume.machine_inputs import inputs_of, iso_attached, vmx_changes
from harness.machine.machine import Machine
from harness.machine.machine_directory import foreign_directory
from harness.ownership.ledger import MachineEntry
from harness.phases.boot import forward_ssh
from harness.phases.installation_identity import ask_identity
from harness.phases.power_cycle import edit_vmx
from harness.results.journal_events import MACHINE_INPUTS
from harness.results.run_json import verdict_to_dict
from harness.vmware.vmx import Vmx, VmxError

# A finished guest that has booted answers at once, on a busy host within a minute.
_ANSWERS_S = 60.0
_SERIAL = re.compile(r"serial-(\d+)\.log")


class Resumption:
    """Continues the machines of earlier runs.

    Args:
        mode: What the run does with machines of an earlier run.
        recorded: What earlier runs recorded, by machine; `Unseen` where it cannot be read.
        replan: Plans this lab as the run of that id did.
        phases: The phases of one machine whose verdicts can be carried over, in their order.
    """

    def __init__(
        self,
        mode: ResumeMode,
        recorded: Mapping[str, RecordedMachine | Unseen],
        replan: Callable[[str], LabPlan],
        phases: Sequence[Phase],
    ) -> None:
        self.mode = mode
        self._recorded = recorded
        self._replan = replan
        self._phases = phases

    def resume(self, machine: Machine) -> Decision:
        """Decide whether the machine is continued; log in to one that is.

        A continued machine has the plan of the run that created it. Its inputs are journalled, unless it is refused:
        what earlier journals have of it still holds then.

        Raises:
            Cancelled: The run ends.
        """
        try:
            decision = start_over(Rebuild.FRESH) if self.mode is ResumeMode.FRESH else self._decide(machine)
            if decision.rebuild is not None:
                machine.forget()
            if self.refusal(machine, decision) is None:
                self._journal(machine, decision)
        except Cancelled:
            raise
        except (HarnessError, VmxError) as error:
            unseen = _unseen(machine, error)
            return not_seen(unseen.what, unseen.remedy)
        return decision

    def refusal(self, machine: Machine, decision: Decision) -> Check | None:
        """Return why the machine is not touched, or None.

        It could not be looked at, or `--reuse` cannot take it.
        """
        if decision.unseen is not None:
            return Check(
                "as an earlier run left it",
                Status.ERROR,
                f"{machine.name} can be compared with what is recorded of it",
                f"it could not be looked at, and is left alone: {decision.unseen.what}",
                f"{decision.unseen.remedy}; then run again. Or run with --fresh, or `lab down`: both delete it",
                cause=decision.unseen.what.splitlines()[0],
            )
        if self.mode is not ResumeMode.REUSE or not decision.missing(self._phases):
            return None
        return Check(
            "reusable",
            Status.ERROR,
            f"{machine.name} as a finished run left it",
            decision.why,
            "run without --reuse; --resume goes on with what is not finished",
        )

    def _decide(self, machine: Machine) -> Decision:
        entry = machine.context.ledger.machine(machine.name)
        now = self._observe(machine, entry) if entry is not None else ObservedMachine("")
        decision = decide(self._recorded.get(machine.name), now, self._phases, self.mode)
        if not decision.carried or entry is None:
            return decision
        try:
            self._restore(machine, self._replan(entry.run_id).machine(machine.name), decision)
            seen = ask_identity(machine).installation if decision.installation else {}
        except Cancelled:
            raise
        except (HarnessError, OSError, VmxError) as error:
            by_guest = isinstance(error, GuestError | DeadlineExpired)
            return unanswered(decision, _unseen(machine, error), self._phases, by_guest=by_guest)
        decision = confirm(decision, machine.facts.boot_id, seen)
        if decision.carried:
            machine.learn(replace(machine.facts, installation=seen))
        return decision

    def _observe(self, machine: Machine, entry: MachineEntry) -> ObservedMachine:
        """Return the machine as it is now.

        What could not be looked at is part of it.
        """
        try:
            foreign = foreign_directory(entry)
            if foreign is not None:
                return ObservedMachine(entry.run_id, unseen=Unseen(str(foreign), "move it away"))
            return self._look(machine, self._replan(entry.run_id).machine(machine.name), entry.run_id)
        except Cancelled:
            raise
        except (HarnessError, OSError, VmxError) as error:
            return ObservedMachine(entry.run_id, unseen=_unseen(machine, error))

    def _look(self, machine: Machine, planned: MachinePlan, made_by: str) -> ObservedMachine:
        files = planned.files
        missing = [path.name for path in (files.vmx, files.disk) if not _exists(path)]
        if missing:
            return ObservedMachine(made_by, missing=f"it is gone: {' and '.join(missing)} is missing")
        changes = vmx_changes(planned.vmx, files.vmx)
        return ObservedMachine(
            made_by=made_by,
            inputs=inputs_of(machine.context.plan.spec, planned, machine.iso),
            changes=f"{files.vmx.name} was changed: {'; '.join(changes)}" if changes else "",
            running=machine.power.is_running(),
            started=bool(_power_ons(files.directory)),
            attached=iso_attached(files.vmx),
        )

    def _restore(self, machine: Machine, planned: MachinePlan, decision: Decision) -> None:
        """Restore the earlier run's plan, port, serial log and SSH session.

        Raises:
            HarnessError: It does not answer, or another machine does.
            OSError: A file of it cannot be read or written.
            VmxError: Its VMX cannot be parsed.
        """
        machine.adopt(planned)
        if decision.last is Phase.CREATION:
            return  # The next phase powers it on, or finds it running.
        forward_ssh(machine)
        deadline = machine.deadline(machine.context.plan.spec.deadlines_s.restart, "restart")
        numbers = _power_ons(planned.files.directory)
        if machine.power.is_running():
            number = _current(planned) or max(numbers, default=0)
            if not number:
                where = str(planned.files.directory)
                raise HostError("it runs, and has no serial log", where=where, remedy=f"look at {where}")
            self._note_history(machine, number, decision)
            if not decision.missing(self._phases) and _has_booted(machine):
                deadline = machine.deadline(_ANSWERS_S)
        else:
            number = max(numbers, default=0) + 1
            edit_vmx(machine, number, attached=False)
            machine.power.on(number, deadline)
        machine.ssh.connect(deadline)

    def _note_history(self, machine: Machine, number: int, decision: Decision) -> None:
        """Follow the console of a running machine; note where its earlier output ended."""
        last = machine.console.follow_running(number)
        recorded = self._recorded.get(machine.name)
        at = recorded.event_at if isinstance(recorded, RecordedMachine) and last is not None else ""
        run = decision.carried[-1].carried_from
        what = f"last {last.event}" + (f" at {at}" if at else "") if last else "no event"
        machine.journal.note(f"console of run {run} read: {what}", progress=True)

    def _journal(self, machine: Machine, decision: Decision) -> None:
        """Journal the machine's inputs and the decision."""
        journal, plan = machine.context.journal, machine.context.plan
        made_by, recorded = machine.context.run_id, self._recorded.get(machine.name)
        if decision.carried:
            entry = machine.context.ledger.machine(machine.name)
            made_by = entry.run_id if entry is not None else made_by
        journal.write(
            MACHINE_INPUTS,
            machine.name,
            vm_directory=str(plan.vm_directory),
            made_by=made_by,
            inputs=inputs_of(plan.spec, machine.plan, machine.iso),
            carried=[verdict_to_dict(verdict) for verdict in decision.carried],
            event_at=recorded.event_at if decision.carried and isinstance(recorded, RecordedMachine) else "",
        )
        if self.mode in (ResumeMode.RESUME, ResumeMode.REUSE) or machine.name in self._recorded:
            text = decision.why if decision.carried else f"starts over: {decision.why}"
            machine.journal.note(text, progress=True)


def _unseen(machine: Machine, error: Exception) -> Unseen:
    """Return in one line what an error hid, and its remedy."""
    known = error if isinstance(error, HarnessError) else host_error_from(error)
    if isinstance(known, DeadlineExpired):
        return Unseen(f"{known.what}; last seen: {known.last_seen}", known.remedy)
    if known is not None:
        remedy = known.remedy or f"look at {known.where or machine.name}"
        return Unseen("\n".join(filter(None, (error_text(known), known.detail))), remedy)
    return Unseen(error_text(error), f"look at {machine.plan.files.directory}")


def _has_booted(machine: Machine) -> bool:
    """Return whether the latest boot on its console has come to its end."""
    events = machine.console.events
    return bool(events) and machine.console.last("boot-complete", boot_id=events[-1].boot_id) is not None


def _exists(path: Path) -> bool:
    """Return whether there is such a file.

    Raises:
        OSError: It cannot be looked at.
    """
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _power_ons(directory: Path) -> list[int]:
    """Return the numbers of the serial logs: one per power-on.

    Raises:
        OSError: The directory cannot be read.
    """
    found = [_SERIAL.fullmatch(path.name) for path in directory.iterdir()]
    return sorted(int(match[1]) for match in found if match)


def _current(planned: MachinePlan) -> int | None:
    """Return the number of the serial log in the VMX, or None.

    Raises:
        VmxError: It is no VMX.
        OSError: It cannot be read.
    """
    match = _SERIAL.fullmatch(Vmx.read(planned.files.vmx).get("serial0.fileName") or "")
    return int(match[1]) if match else None
