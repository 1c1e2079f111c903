"""Looks at units, nodes and leases over time. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.cluster.checks import IDENTITY, READY
from harness.cluster.nodes import Member, Node, judge_identity, judge_version, lease_troubles
from harness.cluster.units import MachineUnits, judge_units, unit_troubles
from harness.core.check_spec import CheckSpec
from harness.core.verdict import Check, Status

# Kubernetes needs 40 s to notice a lost node.
HOLD_S = 45.0
API_SILENT = "the API did not answer"


@dataclass(frozen=True)
class Machines:
    """The machines of the lab: name -> address, nonce; and which are masters."""

    addresses: Mapping[str, str]
    nonces: Mapping[str, str]
    masters: frozenset[str]

    @property
    def names(self) -> tuple[str, ...]:
        """In the order of the lab file."""
        return tuple(self.addresses)


@dataclass(frozen=True)
class Look:
    """What all machines and the API said at one time.

    Attributes:
        at_s: When it was.
        units: Of each machine.
        nodes: None where the API did not answer.
        renewed: When each node's lease was renewed.
        clock: The master's time, as seconds since 1970.
        problem: Why the API did not answer.
    """

    at_s: float
    units: Mapping[str, MachineUnits]
    nodes: tuple[Node, ...] | None = None
    renewed: Mapping[str, str] = field(default_factory=dict)
    clock: str = ""
    problem: str = ""


class Watch:
    """The looks of one wait.

    Attributes:
        looks: Oldest first.
    """

    def __init__(self, machines: Machines) -> None:
        self._machines = machines
        self.looks: list[Look] = []
        self._well_since: float | None = None

    def add(self, look: Look) -> None:
        """Add a look."""
        before = self.looks[-1] if self.looks else look
        self.looks.append(look)
        well = not (self._unit_troubles(look, before) or self._node_troubles(look))
        if not well:
            self._well_since = None
        elif self._well_since is None:
            self._well_since = look.at_s

    @property
    def held(self) -> bool:
        """Whether all has been well for long enough, and every lease was renewed meanwhile."""
        if self._well_since is None:
            return False
        window = self._window()
        return window[-1].at_s - self._well_since >= HOLD_S and not self._lease_troubles(window)

    @property
    def is_well(self) -> bool:
        """Whether the last look found nothing wrong."""
        return self._well_since is not None

    @property
    def state(self) -> str:
        """What the last look found, in a line."""
        last = self.looks[-1]
        troubles = self._unit_troubles(last, last) + self._node_troubles(last)
        if not troubles and self._well_since is not None:
            return f"all nodes ready for {last.at_s - self._well_since:.0f} s"
        return "; ".join(troubles)

    # -- the checks ----------------------------------------------------------------------------------------------

    def judge_units(self) -> Check:
        """Return whether the unit of its role runs on every machine, steadily."""
        window = self._window()
        first, last = window[0], window[-1]
        troubles = {
            name: unit_troubles(last.units[name], first.units[name], server=name in self._machines.masters)
            for name in self._machines.names
        }
        return judge_units(troubles, last.units)

    def judge_identity(self) -> Check:
        """Return whether the nodes are these machines."""
        last = self.looks[-1]
        return self._unanswered(IDENTITY) if last.nodes is None else judge_identity(last.nodes, self._members(last))

    def judge_ready(self) -> Check:
        """Return whether every node was Ready and heard of, all the time."""
        window = self._window()
        last = window[-1]
        if last.nodes is None:
            return READY.not_proven(f"{API_SILENT}: {last.problem}")
        wrong = self._ready_troubles(last) or self._lease_troubles(window)
        unseen = []
        for look in [] if wrong else window[:-1]:
            earlier = f"{last.at_s - look.at_s:.0f} s earlier"
            unseen += [f"{earlier}: {API_SILENT}: {look.problem}"] if look.nodes is None else []
            wrong += [f"{earlier}: {text}" for text in (() if look.nodes is None else self._ready_troubles(look))]
        span = last.at_s - window[0].at_s
        held = f"all of them for {span:.0f} s, leases renewed"
        unseen += [f"{held}: not long enough"] if span < HOLD_S and not wrong else []
        check = READY.judge(
            ok=not wrong and not unseen,
            expected=f"{', '.join(self._machines.names)}: Ready and heard of for {HOLD_S:.0f} s",
            seen="; ".join([*wrong, *unseen]) or held,
            remedy="run `k3s kubectl describe node` on the master, and read `journalctl -u k3s-agent` of the worker",
        )
        return replace(check, inconclusive=bool(unseen) and not wrong)

    def judge_version(self, version: str) -> Check:
        """Return whether every node runs the version of the payload."""
        nodes = self.looks[-1].nodes
        check = judge_version(nodes or (), version)
        if nodes is None:
            check = Check(check.name, Status.NOT_PROVEN, check.expected, f"{API_SILENT}: {self.looks[-1].problem}")
        return check

    def _unanswered(self, check: CheckSpec) -> Check:
        """Return FAIL for a silent API; it disproves nothing."""
        problem = self.looks[-1].problem
        remedy = "read `journalctl -u k3s` of the master; if it was still starting, raise `deadlines_s.cluster`"
        return Check(
            check.name,
            Status.FAIL,
            check.expected,
            problem,
            remedy,
            cause=f"{API_SILENT}: {problem}",
            inconclusive=True,
        )

    # -- troubles ------------------------------------------------------------------------------------------------

    def _window(self) -> Sequence[Look]:
        """Return the looks of the last while, and one before it."""
        start = self.looks[-1].at_s - HOLD_S
        before = [index for index, look in enumerate(self.looks) if look.at_s <= start]
        return self.looks[before[-1] if before else 0 :]

    def _members(self, look: Look) -> list[Member]:
        machines = self._machines
        return [
            Member(name, machines.addresses[name], machines.nonces[name], look.units[name].boot_id)
            for name in machines.names
        ]

    def _unit_troubles(self, look: Look, before: Look) -> list[str]:
        return [
            f"{name}: {text}"
            for name in self._machines.names
            for text in unit_troubles(look.units[name], before.units[name], server=name in self._machines.masters)
        ]

    def _node_troubles(self, look: Look) -> list[str]:
        if look.nodes is None:
            return [f"{API_SILENT}: {look.problem}"]
        identity = judge_identity(look.nodes, self._members(look))
        wrong = [identity.seen] if identity.status is not Status.PASS else []
        return [*wrong, *self._ready_troubles(look)]

    def _ready_troubles(self, look: Look) -> list[str]:
        nodes = {node.name: node for node in look.nodes or ()}
        found = [
            f"{name}: {text}"
            for name in self._machines.names
            for text in (nodes[name].troubles if name in nodes else ("is no node",))
        ]
        return found + lease_troubles(
            look.renewed, {}, [name for name in self._machines.names if name in nodes], look.clock
        )

    def _lease_troubles(self, window: Sequence[Look]) -> list[str]:
        first, last = window[0], window[-1]
        before = first.renewed if first is not last else {}
        return lease_troubles(last.renewed, before, self._machines.names, last.clock)
