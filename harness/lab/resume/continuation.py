"""Continue machines of an earlier run: observe, decide, log in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.config.plan import LabPlan, MachinePlan
from harness.core.deadline import Cancelled
from harness.core.errors import HarnessError, HostError
from harness.core.verdict import Check, Phase, Status
from harness.lab.resume.decision import (
    Decision,
    ObservedMachine,
    RecordedMachine,
    ResumeMode,
    confirm,
    decide,
    start_over,
)
from harness.lab.resume.machine_inputs import inputs_of, iso_attached, vmx_changes
from harness.machine.machine import Machine
from harness.machine.machine_directory import foreign_directory
from harness.phases.boot import forward_ssh
from harness.phases.installation_identity import ask_identity
from harness.phases.power_cycle import edit_vmx
from harness.results.journal_events import MACHINE_INPUTS
from harness.results.run_json import verdict_to_dict
from harness.vmware.vmx import Vmx, VmxError

_SERIAL = re.compile(r"serial-(\d+)\.log")


class Resumption:
    """Continues the machines of earlier runs.

    Args:
        mode: What the run does with machines of an earlier run.
        recorded: What earlier runs recorded, by machine.
        replan: Plans this lab as the run of that id did.
        phases: The phases of one machine whose verdicts can be carried over, in their order.
    """

    def __init__(
        self,
        mode: ResumeMode,
        recorded: Mapping[str, RecordedMachine],
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
            HostError: The ledger cannot be read.
            Cancelled: The run ends.
        """
        decision = start_over("") if self.mode is ResumeMode.FRESH else self._decide(machine)
        if not decision.carried:
            machine.forget()
        if self.refusal(machine, decision) is None:
            self._journal(machine, decision)
        return decision

    def refusal(self, machine: Machine, decision: Decision) -> Check | None:
        """Return why `--reuse` cannot take the machine, or None."""
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
        recorded = self._recorded.get(machine.name)
        entry = machine.context.ledger.machine(machine.name)
        made_by = entry.run_id if entry is not None else ""
        try:
            planned = self._replan(made_by).machine(machine.name) if made_by else machine.plan
            decision = decide(recorded, self._observe(machine, planned, made_by), self._phases)
            missing = decision.missing(self._phases)
            if self.mode is not ResumeMode.RESUME and decision.carried and missing:
                return start_over(f"not finished: {', '.join(phase.value for phase in missing)}")
            if decision.carried:
                self._restore(machine, planned, decision)
                seen = ask_identity(machine).installation if decision.installation else {}
                decision = confirm(decision, machine.facts.boot_id, seen)
                if decision.carried:
                    machine.learn(replace(machine.facts, installation=seen))
        except Cancelled:
            raise
        except HarnessError as error:
            return start_over(f"it does not answer as that machine: {error.what}")
        except (OSError, VmxError) as error:
            return start_over(f"its files cannot be used: {error}")
        return decision

    def _observe(self, machine: Machine, planned: MachinePlan, made_by: str) -> ObservedMachine:
        files, problem = planned.files, _problem(machine, planned)
        return ObservedMachine(
            made_by=made_by,
            inputs=inputs_of(machine.context.plan.spec, planned, machine.iso),
            problem=problem,
            running=machine.power.is_running(),
            started=bool(_power_ons(files.directory)),
            attached=not problem and iso_attached(files.vmx),
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
                raise HostError("it runs, and has no serial log", where=str(planned.files.directory), remedy="")
            machine.console.follow(number)
        else:
            number = max(numbers, default=0) + 1
            edit_vmx(machine, number, attached=False)
            machine.power.on(number, deadline)
        machine.ssh.connect(deadline)

    def _journal(self, machine: Machine, decision: Decision) -> None:
        """Journal the machine's inputs and the decision."""
        journal, plan = machine.context.journal, machine.context.plan
        made_by = machine.context.run_id
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
        )
        if self.mode in (ResumeMode.RESUME, ResumeMode.REUSE) or machine.name in self._recorded:
            text = decision.why if decision.carried else f"starts over: {decision.why}"
            machine.journal.note(text)
            machine.journal.state(text)


def _problem(machine: Machine, planned: MachinePlan) -> str:
    """Return how the files differ from those of the earlier run."""
    entry, files = machine.context.ledger.machine(machine.name), planned.files
    foreign = foreign_directory(entry) if entry is not None else None
    if foreign is not None:
        return str(foreign)
    if not files.vmx.is_file() or not files.disk.is_file():
        return f"it is gone: {files.vmx.name} or {files.disk.name} is missing"
    changes = vmx_changes(planned.vmx, files.vmx)
    return f"{files.vmx.name} was changed: {'; '.join(changes)}" if changes else ""


def _power_ons(directory: Path) -> list[int]:
    """Return the numbers of the serial logs: one per power-on."""
    found = [_SERIAL.fullmatch(path.name) for path in directory.glob("serial-*.log")]
    return sorted(int(match[1]) for match in found if match)


def _current(planned: MachinePlan) -> int | None:
    """Return the number of the serial log in the VMX, or None."""
    try:
        match = _SERIAL.fullmatch(Vmx.read(planned.files.vmx).get("serial0.fileName") or "")
    except (VmxError, OSError):
        return None
    return int(match[1]) if match else None
