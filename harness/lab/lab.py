"""The scheduler of a run: one thread per machine runs its phases."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from harness.core.deadline import Cancelled, SessionClock
from harness.core.errors import HarnessError
from harness.core.verdict import Phase, Verdict
from harness.lab.evidence.collector import CHEAP_S
from harness.lab.evidence.run_evidence import RunEvidence
from harness.lab.keep_policy import MachineUse
from harness.lab.machine_worker import MachineWorker
from harness.lab.resume.continuation import Resumption
from harness.lab.verdicts import Verdicts
from harness.machine.context import RunContext
from harness.machine.machine import Machine
from harness.phases import MACHINE_PHASES, cluster, environment_checks
from harness.phases.runner import collect
from harness.preflight.facts import HostFacts
from harness.preflight.judge import judge_all
from harness.results.journal_events import PHASE_START, phase_start
from harness.system import process

_LISTEN_S = 0.25
# A thread may finish what it waits for within this time after the run has ended.
_GRACE_S = 5.0


class Lab:
    """The machines of one run.

    Args:
        clock: The clock of `context`: cancelling it ends the threads.
        context: What all machines share.
        machines: In the order of creation.
        host_facts: Collects the facts of the host for the environment phase.
        resumption: What is carried over from earlier runs.

    Attributes:
        run: The files of the run directory.
        verdicts: The verdicts of this run.
        evidence: The evidence of all machines.
    """

    def __init__(
        self,
        clock: SessionClock,
        context: RunContext,
        machines: Sequence[Machine],
        host_facts: Callable[[], HostFacts],
        resumption: Resumption,
    ) -> None:
        self._clock = clock
        self._host_facts = host_facts
        self.context = context
        self.run = context.run
        self.machines = {machine.name: machine for machine in machines}
        self.verdicts = Verdicts(context.journal)
        self.evidence = RunEvidence()
        self._workers = {
            machine.name: MachineWorker(
                machine, verdicts=self.verdicts, resumption=resumption, evidence=self.evidence, clock=clock
            )
            for machine in machines
        }
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(machines)), thread_name_prefix="machine")
        self._work: list[Future[None]] = []
        self._started = False
        self._stopping = threading.Event()

    def start(self, needs: Mapping[str, Phase], *, with_cluster: bool) -> None:
        """Judge the environment, then start one thread per named machine.

        A second call does nothing.

        Args:
            needs: The last phase that is needed of each machine; a machine that is not named is not touched.
            with_cluster: Whether the cluster's verdict is needed.
        """
        if self._started:
            return
        self._started = True
        self.verdicts.expect(None, Phase.ENVIRONMENT)
        environment = self._judge_environment()
        if not environment.status.stops and any(last.number >= Phase.BOOT.number for last in needs.values()):
            self.context.gateway.open()
        self.context.barrier.expect(name for name, last in needs.items() if last.number >= Phase.AIR_GAP.number)
        for name, last in needs.items():
            phases = [module for module in MACHINE_PHASES if module.PHASE.number <= last.number]
            for module in phases:
                self.verdicts.expect(name, module.PHASE)
            self._work.append(self._pool.submit(self._workers[name].work, phases, environment))
        threading.Thread(target=self._listen, name="serial", daemon=True).start()
        if with_cluster:
            self.verdicts.expect(None, Phase.CLUSTER)

    def verdict(self, machine: str | None, phase: Phase, waiting: Callable[[], None] | None = None) -> Verdict:
        """Wait for the verdict; call `waiting` about once a second meanwhile.

        Raises:
            KeyError: The run does not need that phase.
        """
        if phase is Phase.CLUSTER:
            return self.verdicts.known(None, phase) or self._judge_cluster(waiting)
        return self.verdicts.wait_for(machine, phase, waiting)

    def use_of(self, machine: str) -> MachineUse | None:
        """Return what this run did with the machine; None for nothing."""
        return self._workers[machine].use

    def existing_machines(self) -> list[Machine]:
        """Return the machines that the ledger has.

        Returns none where the ledger cannot be read: the environment phase reports that.
        """
        try:
            names = {machine.name for machine in self.context.ledger.machines()}
        except HarnessError:
            return []
        return [machine for machine in self.machines.values() if machine.name in names]

    def stop(self) -> None:
        """Stop all threads; a second call is harmless.

        Where every verdict is published, the threads may still finish collecting evidence.
        """
        judged = self.verdicts.complete
        if not judged:
            self._clock.cancel()
        self._stopping.set()
        _, busy = wait(self._work, timeout=_GRACE_S + (CHEAP_S if judged else 0))
        if busy:  # These threads wait for a process or a guest: ending the wait ends the thread.
            for machine in self.machines.values():
                machine.ssh.close()
            process.end_running()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._clock.resume()

    def _judge_environment(self) -> Verdict:
        journal = self.context.journal
        journal.write(PHASE_START, **phase_start(Phase.ENVIRONMENT))
        started = journal.now()
        declared = environment_checks(list(self.machines))
        checks = collect(declared, lambda: iter(judge_all(self.context.plan, self._host_facts())))
        return self.verdicts.add(Verdict(Phase.ENVIRONMENT, None, checks, started, journal.now()))

    def _judge_cluster(self, waiting: Callable[[], None] | None) -> Verdict:
        journal = self.context.journal
        started = journal.now()
        for name in self.machines:
            blocker = self.verdicts.ready_for(name, Phase.CLUSTER, waiting)
            if blocker is not None:
                return self.verdicts.add(Verdict(Phase.CLUSTER, None, (), started, started, blocker.title))
        journal.write(PHASE_START, **phase_start(Phase.CLUSTER))
        machines = list(self.machines.values())
        checks = collect(cluster.CHECKS, lambda: cluster.run(machines, waiting or (lambda: None)))
        verdict = Verdict(Phase.CLUSTER, None, checks, started, journal.now())
        if verdict.status.stops:
            for machine in machines:
                verdict = self.evidence.explain(verdict, machine)
        return self.verdicts.add(verdict)

    def _listen(self) -> None:
        """Follow every console, also while a machine's own thread is busy."""
        with contextlib.suppress(Cancelled):
            while not self._stopping.is_set():
                for machine in self.machines.values():
                    with contextlib.suppress(OSError):  # The machine's own thread reports a journal on a full disk.
                        machine.console.listen()
                self._clock.sleep(_LISTEN_S)
