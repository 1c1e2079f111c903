"""Select lab file, overlay and hypervisor, before anything is created."""

from __future__ import annotations

import contextlib
import secrets
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config import LabSpec, Reach, load_lab
from harness.config.embedded import embedded_overlay
from harness.config.model import host_path
from harness.config.plan import LabPlan, make_plan
from harness.config.secret_reference import resolve
from harness.core.deadline import SessionClock
from harness.core.errors import HarnessError
from harness.core.layout import HOME, LEDGER
from harness.ownership.lab_lock import lab_lock
from harness.ownership.ledger import Ledger
from harness.system.ports import HeldPorts
from harness.vmrun.discovery import Hypervisor, Kind, find_hypervisor

if TYPE_CHECKING:
    from harness.vmrun.driver import Vmrun
    from harness.vmrun.invocation import GuestLogin


@dataclass(frozen=True)
class Selection:
    """The selected lab and hypervisor. Nothing is created yet."""

    lab_file: Path
    spec: LabSpec
    overlay: str | None
    hypervisor: Hypervisor

    def plan(self, run_id: str, ports: tuple[int, ...] = ()) -> LabPlan:
        """Return the plan of this lab; without `ports`, forwarded ones are 0."""
        return make_plan(self.spec, self.lab_file, overlay=self.overlay, run_id=run_id, ports=ports)

    @property
    def vm_directory(self) -> Path:
        """The directory of the VMs."""
        return host_path(self.spec.vm_directory, self.lab_file.resolve().parent)


def select(
    lab_file: Path,
    *,
    vmrun: str | None = None,
    overlay: str | None = None,
    find: Callable[..., Hypervisor] = find_hypervisor,
) -> Selection:
    """Load the lab file and find the hypervisor.

    With the embedded hypervisor and without a named overlay, `embedded_overlay` is applied.

    Args:
        lab_file: The lab file.
        vmrun: The value of `--vmrun`.
        overlay: The value of `--overlay`.
        find: The discovery of hypervisors.

    Raises:
        UsageError: The lab file or a named `vmrun` is wrong.
        HostError: No hypervisor can be used.
    """
    base = load_lab(lab_file, overlay)
    directory = lab_file.resolve().parent
    hypervisor = find(option=vmrun, setting=base.hypervisor.vmrun, base=directory, host_type=base.hypervisor.type)
    if overlay is None and hypervisor.kind is Kind.EMBEDDED:
        overlay = embedded_overlay(lab_file)
    spec = load_lab(lab_file, overlay, platform=sys.platform)
    home = host_path(spec.vm_directory, directory) / HOME
    return Selection(lab_file, spec, overlay, hypervisor.with_home(home))


def new_run_id(now: datetime | None = None) -> str:
    """Return a unique name for a run.

    It sorts by time and is a file name on every system.
    """
    return (now or datetime.now().astimezone()).strftime("%Y-%m-%dT%H-%M-%S") + "-" + secrets.token_hex(2)


def ledger_of(selection: Selection) -> Ledger:
    """Return the ledger of the selected lab."""
    return Ledger(selection.vm_directory / LEDGER, selection.spec.name)


def kept_until(selection: Selection) -> str:
    """Return until when the lab's machines are kept.

    It is empty without an end, or without a readable ledger.
    """
    with contextlib.suppress(HarnessError):
        return ledger_of(selection).read().kept_until
    return ""


def lock(selection: Selection, say: Callable[[str], None] = lambda _: None) -> AbstractContextManager[None]:
    """Lock the selected lab for this session; see `harness.ownership.lab_lock`.

    Raises:
        LabBusyError: Another session holds it.
    """
    return lab_lock(selection.vm_directory, selection.spec.name, say)


def forward_ports(spec: LabSpec, held: HeldPorts) -> tuple[int, ...]:
    """Return the loopback port of each machine; none where SSH is direct."""
    if spec.ssh.reach is Reach.DIRECT:
        return ()
    count = len(spec.machines)
    base = spec.ssh.forward_base_port
    return tuple(held.take() for _ in range(count)) if base is None else tuple(range(base, base + count))


def driver(selection: Selection, clock: SessionClock | None = None) -> Vmrun:
    """Return the driver of the selected hypervisor."""
    from harness.vmrun.driver import Vmrun  # noqa: PLC0415 - saves 40 ms where no `vmrun` is asked

    hypervisor = selection.hypervisor
    return Vmrun(
        hypervisor.vmrun_argv,
        host_type=hypervisor.host_type,
        env=hypervisor.env,
        clock=clock or SessionClock(),
    )


def guest_login(selection: Selection) -> GuestLogin | None:
    """Return the account for VMware's guest operations, or None.

    Raises:
        UsageError: The lab file names a password that cannot be found.
    """
    tools = selection.spec.tools
    if tools is None:
        return None
    from harness.vmrun.invocation import GuestLogin  # noqa: PLC0415 - saves 10 ms where no `vmrun` is asked

    return GuestLogin(tools.user, resolve(tools.password, selection.lab_file.resolve().parent))
