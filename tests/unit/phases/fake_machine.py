"""A VM as a phase sees it, with given answers and recorded calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fake_clock import FakeClock
from run_samples import WORKER

from harness.config.plan import Endpoint, MachinePlan
from harness.core.deadline import Deadline
from harness.core.errors import GuestError
from harness.guest.channel import CommandResult
from harness.guest.serial import GuestEvent
from harness.machine.barrier import Barrier
from harness.machine.context import RunContext
from harness.machine.facts import GuestFacts
from harness.machine.machine import Machine
from harness.vmrun.errors import PortInUse

Answers = Mapping[str, str]


class FakeNetworks:
    """Takes port forwardings; the first of them are refused."""

    def __init__(self, refused: int = 0) -> None:
        self.refused = refused
        self.ports: list[int] = []

    def set_port_forwarding(self, network: str, forwarding: Any) -> None:
        self.ports.append(forwarding.host_port)
        if len(self.ports) <= self.refused:
            raise PortInUse("the port is in use", remedy="")


@dataclass
class FakeMachine:
    """What a phase uses of `Machine`.

    Attributes:
        answers: Part of a command -> its output.
        events: What the guest reports on its serial port.
        reboots: Called at each power-on.
        calls: Power operations and logins, in order.
    """

    context: RunContext
    answers: dict[str, str] = field(default_factory=dict)
    events: list[GuestEvent] = field(default_factory=list)
    reboots: Callable[[FakeMachine], object] = lambda _: None
    sends_events: bool = True
    listed: bool = True
    calls: list[str] = field(default_factory=list)
    facts: GuestFacts = field(default_factory=GuestFacts)
    iso: Any = None

    def __post_init__(self) -> None:
        self.plan: MachinePlan = self.context.plan.machine(WORKER)
        self.name = self.plan.name
        self.endpoint: Endpoint = self.plan.endpoint
        self.clock = FakeClock()
        self.console = SimpleNamespace(events=self.events, last=self._last, silent=False)
        self.power = SimpleNamespace(
            on=self._on, off=self._note("off"), cut=self._note("cut"), is_running=lambda _=None: self.listed
        )
        self.ssh = SimpleNamespace(run=self._run, connect=self._connect, connected=False)
        self.journal = SimpleNamespace(state=lambda _: None)

    @property
    def machine(self) -> Machine:
        """Itself, as the type that a phase takes."""
        return cast(Machine, self)

    def deadline(self, seconds: float, key: str = "") -> Deadline:
        return Deadline(seconds, self.clock, setting=key)

    def wait_for(self, what: str, answer: Callable[[], Any], _deadline: Deadline, **_: Any) -> Any:
        value = answer()
        assert value is not None, f"nothing to wait for: {what}"
        return value

    def learn(self, facts: GuestFacts) -> None:
        self.facts = facts

    def use_port(self, port: int) -> None:
        self.endpoint = replace(self.endpoint, port=port)

    def guest_error(self, what: str) -> GuestError:
        return GuestError(what, remedy="")

    def _last(self, name: str, *, boot_id: str | None = None) -> GuestEvent | None:
        found = [event for event in self.events if event.event == name and boot_id in (None, event.boot_id)]
        return found[-1] if found else None

    def _note(self, call: str) -> Callable[[Deadline], None]:
        return lambda _: self.calls.append(call)

    def _on(self, number: int, _: Deadline) -> None:
        self.calls.append(f"on {number}")
        self.reboots(self)

    def _connect(self, _: Deadline, **__: Any) -> None:
        self.calls.append("login")
        self.facts = self.facts.logged_in("boot-1", logins=self.facts.ssh_logins + 1, host_key="key")

    def _run(self, command: str, _: float | None = None, **__: Any) -> CommandResult:
        text = next((text for part, text in self.answers.items() if part in command), None)
        return CommandResult(command, 1 if text is None else 0, text or "", "", 0.1)


def context_with(context: RunContext, **parts: Any) -> RunContext:
    """Return the context with some of its parts replaced."""
    return replace(context, **parts)


def barrier_of(*names: str, withdrawn: Mapping[str, str] | None = None) -> Barrier:
    """Return a barrier at which these machines are expected; some have withdrawn."""
    barrier = Barrier()
    barrier.expect([*names, *(withdrawn or {})])
    for name in names:
        barrier.arrive(name)
    for name, why in (withdrawn or {}).items():
        barrier.withdraw(name, why)
    return barrier


def vmx_of(path: Path, **keys: str) -> None:
    """Write a VMX."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f'{key} = "{value}"\n' for key, value in keys.items()), encoding="utf-8")
