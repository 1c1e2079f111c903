"""One VM of the lab while a run works on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from harness.config.plan import Endpoint, MachinePlan
from harness.core.deadline import Deadline
from harness.core.errors import GuestError
from harness.guest.nonce import ssh_target
from harness.guest.ssh import SshChannel
from harness.machine.console import Console
from harness.machine.context import RunContext
from harness.machine.facts import GuestFacts
from harness.machine.journal import MachineJournal
from harness.machine.power import Power
from harness.machine.screen import NAME as SCREEN
from harness.machine.screen import Screen
from harness.machine.ssh_session import Guest, SshSession
from harness.machine.waiting import Waiting
from harness.seed.model import IsoInfo
from harness.vmrun.errors import GuestLoginFailed
from harness.vmrun.parse import Display

T = TypeVar("T")


class Machine:
    """One VM: its plan, facts, power, console and SSH session.

    The facts are what the run knows about its guest.

    Attributes:
        plan: As this run planned it, or as the run did that this one continues.
        endpoint: Where its SSH is reached: the planned port, or the one that was free.
        facts: What this run learned about the guest.
        journal: The machine's entries in the run's journal.
        console: Guest events and console text since power-on.
        power: Powers the VM on and off.
        ssh: The SSH session to the guest.
    """

    def __init__(self, context: RunContext, plan: MachinePlan, iso: IsoInfo | None) -> None:
        self.context = context
        self.iso = iso
        self.journal = MachineJournal(context.journal, plan.name)
        self._planned = plan
        self._begin(plan, plan.endpoint)

    def _begin(self, plan: MachinePlan, endpoint: Endpoint) -> None:
        """Start with nothing known about the guest."""
        context, journal, clock = self.context, self.journal, self.context.clock
        spec = context.plan.spec
        self.plan, self.endpoint, self.facts = plan, endpoint, GuestFacts()
        self.console = Console(
            plan.files,
            context.run.machine(plan.name),
            nonce=plan.nonce,
            sends_events=self.sends_events,
            journal=journal,
            clock=clock,
        )
        self._waiting = Waiting(
            plan.name,
            self.console,
            journal,
            partial(context.vmrun.is_running, plan.files.vmx),
            clock,
            hypervisor_log=plan.files.hypervisor_log,
            screen=self._screen(),
        )
        target = ssh_target(context.plan, plan.name, endpoint, self.iso.host_key if self.iso else None)
        self.ssh = SshSession(
            Guest(plan, target, spec.deadlines_s.guest_command),
            console=self.console,
            waiting=self._waiting,
            journal=journal,
            clock=clock,
            on_login=self._logged_in,
        )
        self.power = Power(
            context.vmrun,
            plan.files,
            display=Display(spec.hypervisor.display),
            console=self.console,
            ssh=self.ssh,
            journal=journal,
        )

    def _screen(self) -> Screen:
        return Screen(
            self.context.run.machine(self.plan.name) / SCREEN,
            self.capture_screen,
            console=self.console,
            journal=self.journal,
            clock=self.context.clock,
            needed=lambda: not self.ssh.connected,
        )

    @property
    def name(self) -> str:
        """The machine's name in the lab file."""
        return self._planned.name

    @property
    def sends_events(self) -> bool:
        """Whether the seed makes the guest report on the serial line."""
        return self.iso is not None and self.iso.events

    def deadline(self, seconds: float, key: str = "") -> Deadline:
        """Return a deadline on the run's clock.

        Args:
            seconds: How long it is.
            key: Its name in `deadlines_s` of the lab file, for the error of an expired wait.
        """
        return Deadline(seconds, self.context.clock, setting=f"deadlines_s.{key}" if key else "")

    def learn(self, facts: GuestFacts) -> None:
        """Replace the facts and journal the changes."""
        changes = facts.changes_since(self.facts)
        self.facts = facts
        if changes:
            self.journal.facts(changes)

    def _logged_in(self, boot_id: str, channel: SshChannel) -> None:
        self.learn(self.facts.logged_in(boot_id, logins=channel.logins, host_key=channel.host_key))

    def use_port(self, port: int) -> None:
        """Reach the SSH of a machine that is not started yet at another port."""
        self._begin(self.plan, replace(self.endpoint, port=port))
        self.journal.facts({"endpoint": f"{self.endpoint.host}:{port}"})

    def adopt(self, plan: MachinePlan) -> None:
        """Continue the VM of an earlier run.

        Its plan is used, and the port that leads to it.

        Raises:
            HostError: The ledger cannot be read.
        """
        self.ssh.close()
        port = self.context.port_of(self._planned)
        self._begin(plan, replace(plan.endpoint, port=port))

    def forget(self) -> None:
        """Return to this run's plan; the next installation is another guest."""
        self.ssh.close()
        self._begin(self._planned, self._planned.endpoint)

    def capture_screen(self, picture: Path, deadline: Deadline) -> None:
        """Save the screen.

        The guest account of the lab file is used where VMware wants one.

        Raises:
            HarnessError: There is no picture.
            OSError: The file cannot be written.
        """
        vmrun, vmx, login = self.context.vmrun, self.plan.files.vmx, self.context.login
        try:
            vmrun.capture_screen(vmx, picture, deadline=deadline)
        except GuestLoginFailed:
            if login is None:
                raise
            vmrun.capture_screen(vmx, picture, login, deadline=deadline)

    def wait_for(self, what: str, answer: Callable[[], T | None], deadline: Deadline, *, interval_s: float = 0.25) -> T:
        """Return the first answer that is not None; see `Waiting.wait_for`."""
        return self._waiting.wait_for(what, answer, deadline, interval_s=interval_s)

    def guest_error(self, what: str) -> GuestError:
        """Return an error with this machine's console as evidence."""
        return self._waiting.guest_error(what)
