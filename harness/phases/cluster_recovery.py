"""Take a worker's power away and give it back; restart the master.

Only where the lab file asks for it, and no check of the cluster failed before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.cluster import checks
from harness.cluster.answers import NoAnswerError, of_kind
from harness.cluster.nodes import node_of, renewals
from harness.cluster.recovery import judge_back, judge_lost, judge_whole
from harness.cluster.units import COMMAND, parse_units
from harness.cluster.watch import Look
from harness.config.model import Role
from harness.core.check_spec import CheckSpec
from harness.core.layout import POWER_ONS
from harness.core.verdict import Check
from harness.phases.cluster_access import Access
from harness.phases.power_cycle import edit_vmx

if TYPE_CHECKING:
    from harness.machine.machine import Machine

OFF = "`cluster.recovery` is not set in the lab file"
_NO_WORKER = "the lab has no worker"
# Kubernetes needs 40 s to miss a node; a busy master needs its time to say so.
_NOTICED_S = 240.0


@dataclass(frozen=True)
class Recovery:
    """The two accidents of a cluster.

    Attributes:
        machines: All of the lab.
        waiting: Called between two looks.
        again: Asks every check of the cluster.
    """

    machines: tuple[Machine, ...]
    waiting: Callable[[], None]
    again: Callable[[], Iterator[Check]]

    def run(self, before: Sequence[Check]) -> Iterator[Check]:
        """Yield the five checks.

        Args:
            before: What the cluster's own checks found.
        """
        spec = self.machines[0].context.plan.spec
        if not spec.cluster.recovery:
            yield from (check.not_asked(OFF) for check in checks.RECOVERY)
            return
        bad = next((one for one in before if one.status.stops), None)
        if bad is not None:
            why = f"not tried: {bad.name}: {bad.status.value}"
            yield from (check.not_proven(why) for check in checks.RECOVERY)
            return
        workers = [machine for machine in self.machines if machine.plan.role is Role.WORKER]
        if workers:
            yield from self._lose(workers[-1])
        else:
            yield from (check.not_asked(_NO_WORKER) for check in checks.RECOVERY[:3])
        yield from self._restart_master()

    @property
    def _master(self) -> Machine:
        return next(machine for machine in self.machines if machine.plan.role is Role.MASTER)

    def _access(self, machines: tuple[Machine, ...], seconds: float) -> Access:
        return Access(self._master, machines, self._master.deadline(seconds, "recovery"), self.waiting)

    @property
    def _limit_s(self) -> float:
        return float(self._master.context.plan.spec.deadlines_s.recovery)

    def _lose(self, worker: Machine) -> Iterator[Check]:
        limits = worker.context.plan.spec.deadlines_s
        old = self._boot_of(worker)
        worker.power.cut(worker.deadline(limits.power, "power"))
        rest = tuple(machine for machine in self.machines if machine is not worker)
        yield self._noticed(worker, self._access(rest, min(_NOTICED_S, self._limit_s)))
        yield self._start(worker, old, checks.WORKER_BACK)
        yield self._whole(checks.WHOLE_WITH_WORKER)

    def _noticed(self, worker: Machine, access: Access) -> Check:
        at_cut: dict[str, str] = {}

        def look() -> Check:
            items = access.get("nodes,leases.coordination.k8s.io --all-namespaces")
            renewed = renewals(of_kind(items, "Lease"))
            for name, time in renewed.items():
                at_cut.setdefault(name, time)
            return judge_lost(worker.name, [node_of(item) for item in of_kind(items, "Node")], renewed, at_cut)

        return access.poll(look, checks.WORKER_LOST)

    def _restart_master(self) -> Iterator[Check]:
        master = self._master
        old = self._boot_of(master)
        master.power.off(master.deadline(master.context.plan.spec.deadlines_s.power, "power"))
        yield self._start(master, old, checks.MASTER_BACK)
        yield self._whole(checks.WHOLE_WITH_MASTER)

    def _boot_of(self, machine: Machine) -> str:
        """Return the boot that the guest runs; its own answer, asked now."""
        return parse_units(self._access(self.machines, self._limit_s).run(machine, COMMAND).stdout).boot_id

    def _start(self, machine: Machine, old: str, check: CheckSpec) -> Check:
        """Power on, log in, and wait for every node."""
        edit_vmx(machine, POWER_ONS + 1, attached=False)
        deadline = machine.deadline(self._limit_s, "recovery")
        machine.power.on(POWER_ONS + 1, deadline)
        machine.ssh.connect(deadline, not_boot_id=old)
        access = replace(self._access(self.machines, self._limit_s), deadline=deadline)
        first: list[Look] = []

        def look() -> Check:
            now = access.look()
            if now.nodes is not None and not first:
                first.append(now)
            return judge_back(check, now, first[0] if first else now, {machine.name: old})

        return access.poll(look, check)

    def _whole(self, check: CheckSpec) -> Check:
        try:
            found = list(self.again())
        except NoAnswerError as error:
            return check.not_proven(str(error))
        return judge_whole(check, found, len(checks.CHECKS))
