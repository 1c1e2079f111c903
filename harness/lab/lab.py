"""The lab: one thread per machine runs its phases as fast as that machine goes; everybody else asks for verdicts."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from functools import partial

from harness import preflight as host
from harness.core.best_effort import run_and_collect_error
from harness.core.deadline import Cancelled, SessionClock
from harness.core.errors import HarnessError
from harness.core.layout import RunFiles
from harness.core.verdict import Phase, Status, Verdict
from harness.lab.evidence import vmware_tools as guest_tools
from harness.lab.evidence.collector import CHEAP_S, Collector
from harness.lab.evidence.explain import explained
from harness.lab.resume.continuation import Resumption
from harness.lab.resume.decision import Decision, afresh
from harness.lab.usage import MachineUse, destroy
from harness.machine.context import RunContext
from harness.machine.machine import Machine
from harness.phases import CARRIED_PHASES, MACHINE_PHASES, PhaseModule, cluster, environment_checks
from harness.phases.runner import collect, from_exception, run_phase
from harness.results import journal_events as payload
from harness.system import process

_HEARTBEAT_S = 1.0
_LISTEN_S = 0.25
# At the end of a session a thread may finish what it waits for within this time.
_GRACE_S = 5.0


class Lab:
    """The machines of one session.

    Args:
        clock: The clock of `context`, which ends the threads when the session ends.
        context: What all machines share.
        machines: In the order of creation.
        run: Where results go.
        facts: Collects the facts of the host for the environment phase.
        earlier: What earlier runs left to go on with.
    """

    def __init__(
        self,
        clock: SessionClock,
        context: RunContext,
        machines: Sequence[Machine],
        run: RunFiles,
        facts: Callable[[], host.HostFacts],
        earlier: Resumption,
    ) -> None:
        self._clock = clock
        self.context = context
        self.machines = {machine.name: machine for machine in machines}
        self.run = run
        self._facts = facts
        self._earlier = earlier
        self._verdicts: dict[tuple[str | None, Phase], Future[Verdict]] = {}
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(machines)), thread_name_prefix="machine")
        self._started = False
        self._work_units: list[Future[None]] = []
        self._collectors: dict[str, Collector] = {}
        self._suspects: set[str] = set()
        self._uses: dict[str, MachineUse] = {}
        self._ending = threading.Event()

    def start(self, needs: Mapping[str, Phase], *, with_cluster: bool) -> None:
        """Have the environment judged and then the named machines work through their phases, up to the named one each.

        Args:
            needs: The last phase that is asked of each machine; a machine that is not named is not touched.
            with_cluster: Whether the cluster is asked for.
        """
        if self._started:
            return
        self._started = True
        environment = self._future(None, Phase.ENVIRONMENT)
        environment.set_result(self._environment())
        if not environment.result().status.stops and any(last.number >= Phase.BOOT.number for last in needs.values()):
            self.context.gateway.open()
        self.context.barrier.expect(name for name, last in needs.items() if last.number >= Phase.AIR_GAP.number)
        for name, last in needs.items():
            futures = [
                self._future(name, module.PHASE) for module in MACHINE_PHASES if module.PHASE.number <= last.number
            ]
            self._work_units.append(
                self._pool.submit(self._work, self.machines[name], len(futures), environment.result())
            )
        threading.Thread(target=self._listen, name="serial", daemon=True).start()
        if with_cluster:
            self._future(None, Phase.CLUSTER)

    def verdict(self, machine: str | None, phase: Phase, waiting: Callable[[], None] | None = None) -> Verdict:
        """Return the verdict of that phase, waiting for it; `waiting` is called about once a second meanwhile.

        Raises:
            KeyError: The session does not need that phase.
        """
        if phase is Phase.CLUSTER:
            return self._cluster(waiting)
        future = self._verdicts[machine, phase]
        while True:
            try:
                return future.result(timeout=_HEARTBEAT_S)
            except FutureTimeout:
                if waiting is not None:
                    waiting()

    def ready_for(self, machine: str, phase: Phase, waiting: Callable[[], None] | None = None) -> Verdict | None:
        """Return the verdict that keeps `phase` from being looked at on that machine, or None when nothing does."""
        for module in MACHINE_PHASES:
            if module.PHASE.number < phase.number:
                verdict = self.verdict(machine, module.PHASE, waiting)
                if verdict.status.stops:
                    return verdict
        return None

    def recorded(self) -> list[Verdict]:
        """Return the verdicts that exist by now."""
        return [future.result() for future in self._verdicts.values() if future.done()]

    def add(self, verdict: Verdict) -> None:
        """Record the verdict of a phase that was looked at by tests."""
        self._future(verdict.machine, verdict.phase).set_result(self._record(verdict))

    def suspect(self, machine: str) -> None:
        """Have everything collected of that machine at the end: a test of its guest failed."""
        self._suspects.add(machine)

    def _future(self, machine: str | None, phase: Phase) -> Future[Verdict]:
        return self._verdicts.setdefault((machine, phase), Future())

    def _environment(self) -> Verdict:
        journal = self.context.journal
        journal.write(payload.PHASE_START, **payload.phase_start(Phase.ENVIRONMENT))
        started = journal.now()
        declared = environment_checks(list(self.machines))
        checks = collect(declared, lambda: iter(host.judge_all(self.context.plan, self._facts())))
        return self._record(Verdict(Phase.ENVIRONMENT, None, checks, started, journal.now()))

    def _work(self, machine: Machine, count: int, environment: Verdict) -> None:
        """Have a verdict of each of these phases, whatever breaks; none where the session broke off."""
        try:
            self._work_through(machine, count, environment)
        except Exception as error:  # noqa: BLE001  (somebody waits for each of the verdicts)
            if not self._clock.cancelled:
                self._give_up(machine, count, error)

    def _work_through(self, machine: Machine, count: int, environment: Verdict) -> None:
        blocker: Verdict | None = environment if environment.status.stops else None
        decision = afresh("") if blocker else self._earlier.take_up(machine)
        if decision.carried and self._earlier.refusal(machine, decision) is None:
            self._uses[machine.name] = MachineUse.REUSED
        for module in MACHINE_PHASES[:count]:
            verdict = self._verdict(module, machine, decision, blocker)
            if self._clock.cancelled:
                return  # the session broke off, and this phase with it: nobody has judged it
            if blocker is None and verdict.status.stops:
                verdict = blocker = self._explained(verdict, machine)
            self._future(machine.name, module.PHASE).set_result(self._record(verdict))
        self.context.barrier.withdraw(machine.name, blocker.title if blocker else "it had no more to do")
        if not self._clock.cancelled:
            guest_tools.observe(machine)
        if blocker is None and machine.console.started and not self._clock.cancelled:
            self._collector(machine).collect(complete=False)  # while other guests are still at work

    def _give_up(self, machine: Machine, count: int, error: Exception) -> None:
        """Have the error in the first phase that has no verdict, and those after it blocked by that one."""
        check, blocked_by = from_exception(None, error).masked(), ""
        for module in MACHINE_PHASES[:count]:
            future, now = self._future(machine.name, module.PHASE), self.context.journal.now()
            if future.done():
                continue
            checks = () if blocked_by else (check,)
            verdict = Verdict(module.PHASE, machine.name, checks, now, now, blocked_by=blocked_by)
            run_and_collect_error("the journal", partial(self._record, verdict))  # it may be what broke
            future.set_result(verdict)
            blocked_by = blocked_by or verdict.title
        self.context.barrier.withdraw(machine.name, blocked_by or "it had no more to do")

    def _verdict(self, module: PhaseModule, machine: Machine, decision: Decision, blocker: Verdict | None) -> Verdict:
        """Return what becomes of a phase: blocked, carried over from an earlier run, refused, or done now."""
        now, carried = self.context.journal.now(), decision.verdict(module.PHASE)
        if blocker is not None:
            return Verdict(module.PHASE, machine.name, (), now, now, blocked_by=blocker.title)
        refusal = self._earlier.refusal(machine, decision)
        if refusal is not None:
            return Verdict(module.PHASE, machine.name, (refusal,), now, now)
        if carried is not None:
            return replace(carried, started_s=now, ended_s=now)
        if module.PHASE in CARRIED_PHASES:
            self._uses[machine.name] = MachineUse.BUILT
        return run_phase(module, machine)

    def _listen(self) -> None:
        """Read every console as it grows, also while a machine's own thread waits for something else."""
        with contextlib.suppress(Cancelled):
            while not self._ending.is_set():
                for machine in self.machines.values():
                    with contextlib.suppress(OSError):  # a journal that cannot be written is that machine's error
                        machine.console.listen()
                self._clock.sleep(_LISTEN_S)

    def _explained(self, verdict: Verdict, machine: Machine) -> Verdict:
        """Return the broken verdict with its cause, and have the evidence of it in the run directory."""
        if not machine.console.started:
            return verdict
        collector = self._collector(machine)
        condition = collector.condition() if verdict.status is Status.FAIL else ""
        collector.collect(complete=True)
        return explained(verdict, condition, collector.texts)

    def _cluster(self, waiting: Callable[[], None] | None) -> Verdict:
        future = self._future(None, Phase.CLUSTER)
        if future.done():
            return future.result()
        started = self.context.journal.now()
        for name in self.machines:
            blocker = self.ready_for(name, Phase.CLUSTER, waiting)
            if blocker is not None:
                future.set_result(self._record(Verdict(Phase.CLUSTER, None, (), started, started, blocker.title)))
                return future.result()
        self.context.journal.write(payload.PHASE_START, **payload.phase_start(Phase.CLUSTER))
        master = next(machine for machine in self.machines.values() if machine.plan.role == "master")
        checks = collect(cluster.CHECKS, lambda: cluster.run(master, list(self.machines)))
        future.set_result(self._record(Verdict(Phase.CLUSTER, None, checks, started, self.context.journal.now())))
        return future.result()

    def _record(self, verdict: Verdict) -> Verdict:
        verdict = replace(verdict, checks=tuple(check.masked() for check in verdict.checks))
        self.context.journal.write(payload.PHASE_END, verdict.machine, **payload.phase_end(verdict))
        return verdict

    def end(self) -> None:
        """Have all threads ended; safe to call twice. Where every verdict is there, they may still collect evidence."""
        judged = all(verdict.done() for verdict in self._verdicts.values())
        if not judged:
            self._clock.cancel()
        self._ending.set()
        _, busy = wait(self._work_units, timeout=_GRACE_S + (CHEAP_S if judged else 0))
        if busy:  # what one of them waits for outside is ended after a moment of grace
            for machine in self.machines.values():
                machine.ssh.close()
            process.end_running()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def close(self, *, remove: Collection[MachineUse]) -> list[str]:
        """Have all threads ended, the evidence collected, and the machines gone that were used so; never raises.

        Returns:
            What could not be done.
        """
        self.end()
        self._clock.resume()
        self.context.gateway.close()
        claimed = self.claimed()
        doomed = [machine for machine in claimed if self.use_of(machine.name) in remove]
        with ThreadPoolExecutor(max_workers=max(1, len(claimed))) as pool:
            told = pool.map(
                lambda one: run_and_collect_error(f"evidence of {one.name}", partial(self._last_evidence, one)), claimed
            )
            troubles = [text for texts in told for text in texts]
        for machine in doomed:
            collector = self._collectors.get(machine.name, Collector(machine))
            troubles += run_and_collect_error(f"evidence of {machine.name}", collector.stop_and_read_disk)
        return troubles + destroy(self.context, [machine.name for machine in doomed])

    def use_of(self, machine: str) -> MachineUse | None:
        """Return what this session did with the machine, or None where it left it alone."""
        return self._uses.get(machine)

    def _collector(self, machine: Machine) -> Collector:
        return self._collectors.setdefault(machine.name, Collector(machine))

    def _last_evidence(self, machine: Machine) -> None:
        machine.console.finish()
        known, suspect = machine.name in self._collectors, machine.name in self._suspects
        collector = self._collector(machine)
        if suspect or not known:
            collector.collect(complete=suspect)
        else:
            collector.collect_host_files()
        machine.ssh.close()

    def claimed(self) -> list[Machine]:
        """Return the machines that exist by the ledger; none where it cannot be read, as the environment phase says."""
        try:
            names = {machine.name for machine in self.context.ledger.machines()}
        except HarnessError:
            return []
        return [machine for machine in self.machines.values() if machine.name in names]
