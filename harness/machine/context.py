"""What all machines of a run share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.config.plan import LabPlan, MachinePlan
from harness.core.deadline import SYSTEM_CLOCK, Clock
from harness.core.layout import RunFiles
from harness.machine.barrier import Barrier
from harness.ownership.ledger import ForwardingEntry, Ledger
from harness.results.journal import Journal
from harness.system.ports import HeldPorts
from harness.vmrun.discovery import Hypervisor
from harness.vmrun.driver import Vmrun
from harness.vmrun.invocation import GuestLogin

if TYPE_CHECKING:
    from harness.airgap.gateway import Gateway


@dataclass(frozen=True)
class RunContext:
    """What all machines of a run share.

    Attributes:
        login: The account for VMware's guest operations, if the lab file has one.
    """

    plan: LabPlan
    run_id: str
    hypervisor: Hypervisor
    vmrun: Vmrun
    ledger: Ledger
    journal: Journal
    ports: HeldPorts
    run: RunFiles
    gateway: Gateway
    clock: Clock = SYSTEM_CLOCK
    login: GuestLogin | None = None
    barrier: Barrier = field(default_factory=Barrier)

    def port_of(self, machine: MachinePlan) -> int:
        """Return the port of its SSH: that of the ledger, else the planned one.

        Raises:
            HostError: The ledger cannot be read.
        """
        if not machine.endpoint.forward:
            return machine.endpoint.port
        known = self.ledger.read().all_of(ForwardingEntry)
        return next((thing.port for thing in known if thing.name == machine.name), machine.endpoint.port)
