"""Run the phases of one machine and publish their verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from harness.core.best_effort import run_and_collect_error
from harness.core.deadline import SessionClock
from harness.core.verdict import Verdict
from harness.lab.evidence import vmware_tools
from harness.lab.evidence.run_evidence import RunEvidence
from harness.lab.keep_policy import MachineUse
from harness.lab.resume.continuation import Resumption
from harness.lab.resume.decision import Decision, Rebuild, start_over
from harness.lab.verdicts import Verdicts
from harness.machine.machine import Machine
from harness.phases import CARRIED_PHASES
from harness.phases.runner import PhaseModule, from_exception, run_phase

_NO_MORE_WORK = "it had no more to do"


class MachineWorker:
    """Works on one machine, in one thread.

    Args:
        machine: The machine.
        verdicts: Where the verdicts are published.
        resumption: What is carried over from earlier runs.
        evidence: Collects evidence of a failure.
        clock: Reports that the run is cancelled.

    Attributes:
        use: What this run did with the machine; None while it did nothing.
    """

    def __init__(
        self,
        machine: Machine,
        *,
        verdicts: Verdicts,
        resumption: Resumption,
        evidence: RunEvidence,
        clock: SessionClock,
    ) -> None:
        self._machine = machine
        self._verdicts = verdicts
        self._resumption = resumption
        self._evidence = evidence
        self._clock = clock
        self.use: MachineUse | None = None

    def work(self, phases: Sequence[PhaseModule], environment: Verdict) -> None:
        """Publish a verdict of each phase, whatever breaks.

        Nothing is published after the run is cancelled.
        """
        try:
            self._run_phases(phases, environment)
        except Exception as error:  # noqa: BLE001  (a test waits for each of the verdicts)
            if not self._clock.cancelled:
                self._give_up(phases, error)

    def _run_phases(self, phases: Sequence[PhaseModule], environment: Verdict) -> None:
        machine, barrier = self._machine, self._machine.context.barrier
        blocker: Verdict | None = environment if environment.status.stops else None
        decision = start_over(Rebuild.FRESH) if blocker else self._resumption.resume(machine)
        if decision.carried and self._resumption.refusal(machine, decision) is None:
            self.use = MachineUse.REUSED
        for module in phases:
            verdict = self._verdict(module, decision, blocker)
            if self._clock.cancelled:
                return  # The run broke off during this phase: its verdict would be about the interruption.
            if blocker is None and verdict.status.stops:
                verdict = blocker = self._evidence.explain(verdict, machine)
            self._verdicts.add(verdict)
        barrier.withdraw(machine.name, blocker.title if blocker else _NO_MORE_WORK)
        if not self._clock.cancelled:
            vmware_tools.observe(machine)
        if blocker is None and machine.console.started and not self._clock.cancelled:
            self._evidence.collect_sample(machine)  # Other guests are still at work: this costs the run no time.

    def _verdict(self, module: PhaseModule, decision: Decision, blocker: Verdict | None) -> Verdict:
        """Return the verdict: blocked, refused, carried over, or reached now."""
        machine, now = self._machine, self._machine.context.journal.now()
        if blocker is not None:
            return Verdict(module.PHASE, machine.name, (), now, now, blocked_by=blocker.title)
        refusal = self._resumption.refusal(machine, decision)
        if refusal is not None:
            return Verdict(module.PHASE, machine.name, (refusal,), now, now)
        carried = decision.verdict(module.PHASE)
        if carried is not None:
            return replace(carried, started_s=now, ended_s=now)
        if module.PHASE in CARRIED_PHASES:
            self.use = MachineUse.BUILT
        return run_phase(module, machine)

    def _give_up(self, phases: Sequence[PhaseModule], error: Exception) -> None:
        """Publish the error in the first missing verdict; block the others."""
        machine = self._machine
        check, blocked_by = from_exception(None, error).masked(), ""
        for module in phases:
            if self._verdicts.known(machine.name, module.PHASE) is not None:
                continue
            now = machine.context.journal.now()
            checks = () if blocked_by else (check,)
            verdict = Verdict(module.PHASE, machine.name, checks, now, now, blocked_by=blocked_by)
            # The journal may be what broke: the verdict is published all the same.
            run_and_collect_error("the journal", partial(self._verdicts.journal, verdict))
            self._verdicts.publish(verdict)
            blocked_by = blocked_by or verdict.title
        machine.context.barrier.withdraw(machine.name, blocked_by or _NO_MORE_WORK)
