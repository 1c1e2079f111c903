"""What would be created: a pure function of the lab file and of a few facts of the host."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from harness.config.model import LabSpec, Reach, Role, host_path
from harness.core.layout import MachineFiles

MACHINE_DISK_MIB = 2048  # what a growable disk takes of the host's drive once the machine is installed, at the least


@dataclass(frozen=True)
class Endpoint:
    """Where SSH of one guest is reached from this host; `forward` says that it is a port of the host's loopback."""

    host: str
    port: int
    forward: bool


@dataclass(frozen=True)
class MachinePlan:
    """One machine: its files, its VMX keys in order of writing, its address, its way in.

    `nonce` is 32 hex digits, fresh for each run; it is the machine's SMBIOS UUID and binds a guest's word to the run.
    """

    name: str
    role: Role
    address: IPv4Address
    files: MachineFiles
    seed: Path
    nonce: str
    memory_mib: int
    cpus: int
    disk_gib: int
    vmx: Mapping[str, str]
    endpoint: Endpoint


@dataclass(frozen=True)
class LabPlan:
    """The whole lab on this host. Paths are absolute."""

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
        """Host disk space that the installed machines need at the least, in MiB (growable disks: what is written)."""
        return len(self.machines) * MACHINE_DISK_MIB

    @property
    def memory_mib(self) -> int:
        """Memory of all machines together, in MiB."""
        return sum(machine.memory_mib for machine in self.machines)


def make_plan(
    spec: LabSpec, lab_file: Path, *, overlay: str | None, run_id: str, ports: tuple[int, ...] = ()
) -> LabPlan:
    """Return the plan of that lab.

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
    return MachinePlan(
        name=name,
        role=machine.role,
        address=machine.address,
        files=files,
        seed=seed,
        nonce=nonce,
        memory_mib=spec.memory_mib(name),
        cpus=spec.cpus(name),
        disk_gib=spec.hardware.disk_gib,
        vmx=vmx_keys(spec, name, files, seed, nonce),
        endpoint=endpoint,
    )


def _endpoint(spec: LabSpec, address: IPv4Address, index: int, ports: tuple[int, ...]) -> Endpoint:
    if spec.ssh.reach is Reach.DIRECT:
        return Endpoint(str(address), spec.ssh.port, forward=False)
    return Endpoint("127.0.0.1", ports[index] if ports else 0, forward=True)


def smbios_uuid(nonce: str) -> str:
    """Return 32 hex digits in the form of VMX `uuid.bios`: `56 4d 0a … 0b-0c … 0f`."""
    octets = [nonce[i : i + 2] for i in range(0, 32, 2)]
    return " ".join(octets[:8]) + "-" + " ".join(octets[8:])


def vmx_keys(spec: LabSpec, name: str, files: MachineFiles, seed: Path, nonce: str) -> dict[str, str]:
    """Return the VMX of one machine, before its first start, in the order of writing."""
    return {
        **_machine_keys(spec, name, nonce),
        **_UNATTENDED,
        **_drive_keys(files, seed),
        **_network_keys(spec, spec.machines[name].mac),
        "serial0.present": "TRUE",
        "serial0.fileType": "file",
        "serial0.fileName": files.serial(1).name,
        "serial0.yieldOnMsrRead": "TRUE",
        **_BRIDGES,
    }


# Keep an unattended host from being asked, and VMware from stepping the guest's clock (the seven time keys).
_UNATTENDED = {
    "uuid.action": "create",
    "msg.autoAnswer": "TRUE",
    "rtc.diffFromUTC": "0",
    "tools.syncTime": "FALSE",
    "time.synchronize.continue": "FALSE",
    "time.synchronize.restore": "FALSE",
    "time.synchronize.resume.disk": "FALSE",
    "time.synchronize.resume.host": "FALSE",
    "time.synchronize.shrink": "FALSE",
    "time.synchronize.tools.startup": "FALSE",
}
# What Workstation writes for every machine, so that devices find a PCI slot.
_BRIDGES = {
    key: value
    for bridge in range(4, 8)
    for key, value in (
        (f"pciBridge{bridge}.present", "TRUE"),
        (f"pciBridge{bridge}.virtualDev", "pcieRootPort"),
        (f"pciBridge{bridge}.functions", "8"),
    )
}


def _machine_keys(spec: LabSpec, name: str, nonce: str) -> dict[str, str]:
    """VMware's word for the disk in `bios.bootOrder` is `hdd`; `disk` is accepted too."""
    hardware = spec.hardware
    return {
        ".encoding": "UTF-8",
        "config.version": "8",
        "virtualHW.version": str(hardware.hardware_version),
        "displayName": name,
        "guestOS": hardware.guest_os,
        "firmware": hardware.firmware,
        "memsize": str(spec.memory_mib(name)),
        "numvcpus": str(spec.cpus(name)),
        "bios.bootOrder": ",".join(hardware.boot_order),
        "uuid.bios": smbios_uuid(nonce),
    }


def _drive_keys(files: MachineFiles, seed: Path) -> dict[str, str]:
    return {
        "floppy0.present": "FALSE",
        "usb.present": "FALSE",
        "sound.present": "FALSE",
        "pciBridge0.present": "TRUE",
        "sata0.present": "TRUE",
        "sata0:0.present": "TRUE",
        "sata0:0.fileName": files.disk.name,
        "sata0:1.present": "TRUE",
        "sata0:1.fileName": str(seed),
        "sata0:1.deviceType": "cdrom-image",
        "sata0:1.startConnected": "TRUE",
    }


def _network_keys(spec: LabSpec, mac: str | None) -> dict[str, str]:
    generated = {"ethernet0.addressType": "generated"}
    static = {"ethernet0.addressType": "static", "ethernet0.address": mac or ""}
    return {
        "ethernet0.present": "TRUE",
        "ethernet0.virtualDev": spec.hardware.network_card,
        "ethernet0.connectionType": "hostonly" if spec.network.vmnet == "VMnet1" else "custom",
        "ethernet0.vnet": spec.network.vmnet,
        **(generated if mac is None else static),
    }
