"""The plan of a lab: everything that a run creates. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from harness.config.model import UBUNTU_INSTALLER, LabSpec, Reach, Role, SeedSource, host_path
from harness.config.vmx_template import vmx_keys
from harness.core.layout import MachineFiles

MACHINE_DISK_MIB = 2048  # Least disk usage of a growable disk after the installation.


@dataclass(frozen=True)
class Endpoint:
    """Address of a guest's SSH as seen from this host.

    Attributes:
        forward: Whether it is a port of the host's loopback that is forwarded into the guest.
    """

    host: str
    port: int
    forward: bool


@dataclass(frozen=True)
class MachinePlan:
    """Plan of one machine.

    Attributes:
        nonce: 32 hex digits, new for each run. It is the SMBIOS UUID of the VM: a guest that reports it belongs to
            this run.
        installer: The ISO that boots, where the seed holds only the data for it; None where the seed boots.
        vmx: The keys of the VMX in the order of writing.
    """

    name: str
    role: Role
    address: IPv4Address
    files: MachineFiles
    seed: Path
    installer: Path | None
    nonce: str
    memory_mib: int
    cpus: int
    disk_gib: int
    vmx: Mapping[str, str]
    endpoint: Endpoint


@dataclass(frozen=True)
class LabPlan:
    """Plan of the lab on this host. Paths are absolute."""

    spec: LabSpec
    lab_file: Path
    overlay: str | None
    vm_directory: Path
    seed_directory: Path
    ssh_key: Path
    machines: tuple[MachinePlan, ...]

    def machine(self, name: str) -> MachinePlan:
        """Return the machine of that name.

        Raises:
            KeyError: There is none.
        """
        for machine in self.machines:
            if machine.name == name:
                return machine
        raise KeyError(name)

    @property
    def disk_mib(self) -> int:
        """Least disk space for the installed machines in MiB.

        Growable disks take what is written.
        """
        return len(self.machines) * MACHINE_DISK_MIB

    @property
    def memory_mib(self) -> int:
        """Memory of all machines together, in MiB."""
        return sum(machine.memory_mib for machine in self.machines)


def make_plan(
    spec: LabSpec, lab_file: Path, *, overlay: str | None, run_id: str, ports: tuple[int, ...] = ()
) -> LabPlan:
    """Return the plan of a lab.

    Args:
        spec: The lab.
        lab_file: Its file; relative paths start at its directory.
        overlay: The overlay that `spec` was read with.
        run_id: Makes the nonces of this run.
        ports: One free loopback port per machine where the lab is reached by forwarding; without them the ports
            are shown as 0, which means "chosen at start".
    """
    base = lab_file.resolve().parent
    vm_directory = host_path(spec.vm_directory, base)
    seeds = host_path(spec.seeds.directory, base)
    machines = []
    for index, name in enumerate(spec.machines):
        nonce = hashlib.sha256(f"{run_id}/{vm_directory}/{name}".encode()).hexdigest()[:32]
        endpoint = _endpoint(spec, spec.machines[name].address, index, ports)
        machines.append(_machine_plan(spec, MachineFiles(vm_directory / name, name), seeds, nonce, endpoint))
    return LabPlan(
        spec=spec,
        lab_file=lab_file.resolve(),
        overlay=overlay,
        vm_directory=vm_directory,
        seed_directory=seeds,
        ssh_key=host_path(spec.ssh.key, base),
        machines=tuple(machines),
    )


def _machine_plan(spec: LabSpec, files: MachineFiles, seeds: Path, nonce: str, endpoint: Endpoint) -> MachinePlan:
    name = files.name
    machine = spec.machines[name]
    seed = seeds / machine.seed
    installer = seeds / UBUNTU_INSTALLER if spec.seeds.source is SeedSource.UBUNTU else None
    return MachinePlan(
        name=name,
        role=machine.role,
        address=machine.address,
        files=files,
        seed=seed,
        installer=installer,
        nonce=nonce,
        memory_mib=spec.memory_mib(name),
        cpus=spec.cpus(name),
        disk_gib=spec.hardware.disk_gib,
        vmx=vmx_keys(spec, name, files, (installer, seed) if installer else (seed,), nonce),
        endpoint=endpoint,
    )


def _endpoint(spec: LabSpec, address: IPv4Address, index: int, ports: tuple[int, ...]) -> Endpoint:
    if spec.ssh.reach is Reach.DIRECT:
        return Endpoint(str(address), spec.ssh.port, forward=False)
    return Endpoint("127.0.0.1", ports[index] if ports else 0, forward=True)
