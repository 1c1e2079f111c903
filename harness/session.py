"""From options to a `Lab`: which lab file, which hypervisor, which overlay, whose lock."""

from __future__ import annotations

import contextlib
import hashlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import filelock

from harness import host
from harness.config import LabSpec, Reach, load_lab
from harness.config.loader import EMBEDDED_OVERLAY
from harness.config.model import host_path
from harness.errors import LabBusyError
from harness.events import Journal
from harness.host.facts import observe
from harness.hypervisor import Hypervisor, Kind, find_hypervisor
from harness.lab import Lab, SessionClock
from harness.layout import LEDGER, RunFiles, cache_directory
from harness.ledger import Ledger
from harness.machine import Host, Machine
from harness.plan import LabPlan, make_plan
from harness.seed.inspection import inspect_iso
from harness.seed.model import IsoInfo
from harness.vmrun import Vmrun


@dataclass(frozen=True)
class Selection:
    """The lab and the hypervisor that the options lead to; nothing is created yet."""

    lab_file: Path
    spec: LabSpec
    overlay: str | None
    hypervisor: Hypervisor

    def plan(self, run_id: str, ports: tuple[int, ...] = ()) -> LabPlan:
        """Return the plan of this lab; without ports, forwarded ones are left open."""
        return make_plan(self.spec, self.lab_file, overlay=self.overlay, run_id=run_id, ports=ports)

    @property
    def vm_directory(self) -> Path:
        """Where the machines are."""
        return host_path(self.spec.vm_directory, self.lab_file.resolve().parent)


def select(lab_file: Path, *, vmrun: str | None = None, overlay: str | None = None) -> Selection:
    """Return the lab of that file on the hypervisor that is found.

    The overlay `embedded` is laid on top when the embedded hypervisor is used and no other overlay is named.

    Raises:
        UsageError: The lab file or a named `vmrun` is wrong.
        HostError: No hypervisor can be used.
    """
    base = load_lab(lab_file, overlay)
    directory = lab_file.resolve().parent
    hypervisor = find_hypervisor(
        option=vmrun, setting=base.hypervisor.vmrun, base=directory, host_type=base.hypervisor.type
    )
    if overlay is None and hypervisor.kind is Kind.EMBEDDED and EMBEDDED_OVERLAY in base.overlays:
        overlay = EMBEDDED_OVERLAY
    spec = load_lab(lab_file, overlay)
    home = host_path(spec.vm_directory, directory).parent / "hypervisor"
    return Selection(lab_file, spec, overlay, hypervisor.with_home(home))


def new_run_id(now: datetime | None = None) -> str:
    """Return a name for a run that sorts by time and is a file name everywhere."""
    return (now or datetime.now().astimezone()).strftime("%Y-%m-%dT%H-%M-%S")


@contextlib.contextmanager
def lab_lock(selection: Selection) -> Iterator[None]:
    """Hold the lab of that name in that directory for this session.

    Raises:
        LabBusyError: Another session holds it.
    """
    key = hashlib.sha256(f"{selection.spec.name}\0{selection.vm_directory}".encode()).hexdigest()[:12]
    path = cache_directory() / "locks" / f"{selection.spec.name}-{key}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise LabBusyError(
            f"the lab {selection.spec.name} is being worked on by another session",
            where=str(selection.vm_directory),
            remedy="wait for it to end, or give this lab another name and vm_directory",
        ) from error
    try:
        yield
    finally:
        lock.release()


def free_ports(count: int) -> tuple[int, ...]:
    """Return that many loopback ports that were free together a moment ago."""
    with contextlib.ExitStack() as held:
        ports = []
        for _ in range(count):
            listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            listener.bind(("127.0.0.1", 0))
            ports.append(int(listener.getsockname()[1]))
        return tuple(ports)


def forward_ports(spec: LabSpec) -> tuple[int, ...]:
    """Return the loopback port of each machine, or nothing where the machines are reached directly."""
    if spec.ssh.reach is Reach.DIRECT:
        return ()
    count = len(spec.machines)
    base = spec.ssh.forward_base_port
    return free_ports(count) if base is None else tuple(range(base, base + count))


def open_lab(selection: Selection, run: RunFiles, journal: Journal, run_id: str) -> Lab:
    """Return the lab of this session, with nothing done yet."""
    clock = SessionClock()
    plan = selection.plan(run_id, forward_ports(selection.spec))
    vmrun = driver(selection, clock)
    ledger = Ledger(plan.vm_directory / LEDGER, plan.spec.name)
    shared = Host(plan, run_id, selection.hypervisor, vmrun, ledger, journal, clock)
    machines = [Machine(shared, machine, _iso(machine.seed)) for machine in plan.machines]
    facts = partial(host.collect, plan, selection.hypervisor, vmrun, inspect_iso)
    return Lab(clock, shared, machines, run, facts)


def driver(selection: Selection, clock: SessionClock | None = None) -> Vmrun:
    """Return the driver of the selected hypervisor."""
    hypervisor = selection.hypervisor
    return Vmrun(
        hypervisor.vmrun_argv,
        host_type=hypervisor.host_type,
        env=hypervisor.env,
        clock=clock or SessionClock(),
    )


def _iso(path: Path) -> IsoInfo | None:
    """Return what the seed says of itself; what is wrong with it is the environment phase's to tell."""
    return observe(lambda: inspect_iso(path)).value
