"""Ask the nodes of a cluster, and its API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from harness.cluster.answers import Item, NoAnswerError, items_of, of_kind
from harness.cluster.nodes import node_of, renewals
from harness.cluster.units import COMMAND, MachineUnits, parse_units
from harness.cluster.watch import Look, Machines, Watch
from harness.cluster.workload import KUBECTL
from harness.config.model import Role
from harness.core.check_spec import CheckSpec
from harness.core.deadline import Deadline
from harness.core.errors import GuestError
from harness.core.verdict import Check, Phase, Status
from harness.guest.channel import CommandResult

if TYPE_CHECKING:
    from harness.machine.machine import Machine

T = TypeVar("T")

# A busy guest needs half a minute for one answer of `kubectl`.
_KUBECTL_S = 90.0
_REQUEST_S = 60
_LOGIN_S = 30.0
_LOOK_EVERY_S = 5.0
_DONE = (Status.PASS, Status.NOT_ASKED)


@dataclass(frozen=True)
class Access:
    """The machines of a cluster during the phase.

    Attributes:
        master: The machine that is asked for what the API knows.
        deadline: The end of all waits of the phase.
        waiting: Called between two looks.
    """

    master: Machine
    machines: tuple[Machine, ...]
    deadline: Deadline
    waiting: Callable[[], None] = lambda: None

    @property
    def names(self) -> tuple[str, ...]:
        """The machines in the order of the lab file."""
        return tuple(machine.name for machine in self.machines)

    @property
    def known(self) -> Machines:
        """What the cluster has to know of the machines."""
        return Machines(
            {machine.name: str(machine.plan.address) for machine in self.machines},
            {machine.name: machine.plan.nonce for machine in self.machines},
            frozenset(machine.name for machine in self.machines if machine.plan.role is Role.MASTER),
        )

    def run(self, machine: Machine, command: str, limit_s: float = _KUBECTL_S) -> CommandResult:
        """Run a command in a guest as root.

        Raises:
            NoAnswerError: The guest cannot be asked, or does not answer in time.
        """
        try:
            machine.ssh.reconnect(machine.deadline(_LOGIN_S))
            return machine.ssh.run(command, limit_s, as_root=True)
        except GuestError as error:
            raise NoAnswerError(f"{machine.name}: {error.what}") from error

    def get(self, what: str) -> tuple[Item, ...]:
        """Return objects of the API: `nodes`, `pods,services --namespace=x`.

        Raises:
            NoAnswerError: The API does not answer.
        """
        said = self.run(self.master, f"{KUBECTL} --request-timeout={_REQUEST_S}s get {what} -o json")
        return items_of(said.stdout, said.stderr, exit_status=said.exit_status)

    def each(self, ask: Callable[[Machine], T]) -> dict[str, T | str]:
        """Ask all machines at once; an answer that failed is its reason, a text."""

        def answer(machine: Machine) -> T | str:
            try:
                return ask(machine)
            except NoAnswerError as error:
                return str(error)

        with ThreadPoolExecutor(max_workers=len(self.machines), thread_name_prefix="cluster") as pool:
            return dict(zip(self.names, pool.map(answer, self.machines), strict=True))

    def look(self) -> Look:
        """Return what all machines and the API say now."""
        at_s = self.deadline.clock.monotonic()
        found = self.each(self._ask_node)
        units = {name: MachineUnits(problem=one) if isinstance(one, str) else one[0] for name, one in found.items()}
        mine = found[self.master.name]
        answer = mine if isinstance(mine, str) else mine[1]
        if isinstance(answer, str):
            return Look(at_s, units, problem=answer)
        clock, items = answer
        nodes = tuple(node_of(item) for item in of_kind(items, "Node"))
        return Look(at_s, units, nodes, renewals(of_kind(items, "Lease")), clock)

    def _ask_node(self, machine: Machine) -> tuple[MachineUnits, tuple[str, tuple[Item, ...]] | str]:
        units = parse_units(self.run(machine, COMMAND).stdout)
        if machine is not self.master:
            return units, ""
        try:
            # The time before the answer: an answer that takes long makes no lease look old.
            clock = self.run(machine, "date +%s.%N").stdout.strip()
            return units, (clock, self.get("nodes,leases.coordination.k8s.io --all-namespaces"))
        except NoAnswerError as error:
            return units, str(error)

    def watch(self, watch: Watch) -> None:
        """Look until all was well for a while.

        What begins to be well before the deadline may take that while beyond it.
        """
        while True:
            watch.add(self.look())
            if watch.held or (self.deadline.expired and not watch.is_well):
                return
            self._pause(watch.state)

    def poll(self, answer: Callable[[], Check], spec: CheckSpec) -> Check:
        """Return the first good answer; else the last one at the deadline.

        An API that does not answer proves nothing.
        """
        while True:
            try:
                check = answer()
            except NoAnswerError as error:
                check = spec.not_proven(f"no answer: {error}")
            if check.status in _DONE:
                return check
            if self.deadline.expired:
                return self.late(check)
            self._pause(f"{check.name}: {check.why}")

    def _pause(self, state: str) -> None:
        """Note what was seen last, and wait until the next look."""
        self.master.journal.state(state, phase=Phase.CLUSTER)
        self.waiting()
        self.deadline.clock.sleep(_LOOK_EVERY_S)

    def late(self, check: Check) -> Check:
        """Return a bad answer with the deadline that is over."""
        if check.status is not Status.FAIL:
            return check
        return replace(check, cause=f"not within {self.deadline.seconds:.0f} s: {check.why}")


def problems(found: Mapping[str, T | str]) -> dict[str, str]:
    """Return the answers that failed."""
    return {name: one for name, one in found.items() if isinstance(one, str)}
