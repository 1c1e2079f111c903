"""Translate a VMX to QEMU arguments. Pure.

The same VMX, endpoints and accelerator give the same arguments.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.vmrun_qemu.base.endpoint import Endpoint, quoted
from harness.vmrun_qemu.vmfiles import devices, identifiers
from harness.vmrun_qemu.vmfiles.devices import Drive, Nic, unsupported
from harness.vmware.vmx import Vmx

# VMX scsiN.virtualDev -> QEMU's device. VMware's default, lsilogic, is an LSI 53c1030, which QEMU lacks: the older
# 53c895a stands in for it (guests need sym53c8xx instead of mptspi).
_SCSI = {"lsilogic": "lsi53c895a", "lsisas1068": "mptsas1068", "pvscsi": "pvscsi"}
# File name endings -> QEMU's image drivers.
_FORMATS = {".vmdk": "vmdk", ".qcow2": "qcow2", ".vdi": "vdi", ".vhdx": "vhdx", ".raw": "raw", ".img": "raw"}
# A lab's disk must survive a guest's reboot and a clean power-off, not a crash of the host: the host's page cache is
# used, and the guest's flushes are honoured.
_CACHE = {"direct": False, "no-flush": False}


@dataclass(frozen=True)
class Machine:
    """A VM as its VMX describes it."""

    name: str
    memory_mib: int
    cpus: int
    cores_per_socket: int
    uuid: bytes
    drives: list[Drive]
    nics: list[Nic]
    serials: list[devices.Serial]
    boot: list[str]


@dataclass(frozen=True)
class Wiring:
    """The host's side of a VM.

    `endpoints` are by name (`qmp`, `agent`, `ethernet0`, …); `accelerator` are its arguments.
    """

    endpoints: Mapping[str, Endpoint]
    accelerator: tuple[str, ...]
    display: str = "none"


def machine_of(vmx: Vmx, folder: Path) -> Machine:
    """Return the VM that a VMX describes.

    Raises:
        PowerOnFailure: It has an unsupported setting.
    """
    firmware = (vmx.get("firmware") or "bios").lower()
    if firmware != "bios":
        raise unsupported(f'firmware = "{firmware}" is not supported, only "bios"')
    cpus = devices.number(vmx, "numvcpus", 1, 1, 255)
    cores = devices.number(vmx, "cpuid.coresPerSocket", 1, 1, 255)
    if cpus % cores:
        raise unsupported(f"numvcpus = {cpus} is not a multiple of cpuid.coresPerSocket = {cores}")
    return Machine(
        name=vmx.get("displayName") or folder.name,
        memory_mib=devices.number(vmx, "memsize", 32, 4, 1 << 20),
        cpus=cpus,
        cores_per_socket=cores,
        uuid=identifiers.uuid_bytes(vmx.get("uuid.bios") or "") or bytes(16),
        drives=devices.drives(vmx, folder),
        nics=devices.nics(vmx),
        serials=devices.serials(vmx, folder),
        boot=devices.boot_classes(vmx),
    )


def replaced(machine: Machine, drives: list[Drive]) -> Machine:
    """Return the VM with other drives."""
    return replace(machine, drives=drives)


def arguments(machine: Machine, wiring: Wiring, scsi: Mapping[int, str]) -> list[str]:
    """Return QEMU's arguments, without the program; `scsi` is `scsi_devices(vmx)`."""
    indices = boot_indices(machine)
    return [
        *_board(machine, wiring),
        *_monitor(wiring),
        *_controllers(machine, scsi),
        *(word for drive in machine.drives for word in _drive(drive, indices.get(drive.id))),
        *(word for nic in machine.nics for word in _nic(nic, wiring, indices.get(nic.id))),
        *(word for serial in machine.serials for word in _serial(serial)),
    ]


def scsi_devices(vmx: Vmx) -> dict[int, str]:
    """Return QEMU's device for each SCSI controller.

    Raises:
        PowerOnFailure: A model is unsupported.
    """
    found = {}
    for index in range(devices.CONTROLLERS["scsi"][0]):
        if vmx.flag(f"scsi{index}.present"):
            model = (vmx.get(f"scsi{index}.virtualDev") or "lsilogic").lower()
            if model not in _SCSI:
                raise unsupported(
                    f'scsi{index}.virtualDev = "{model}" is not supported; supported are: {", ".join(_SCSI)}'
                )
            found[index] = _SCSI[model]
    return found


def boot_indices(machine: Machine) -> dict[str, int]:
    """Return device id -> boot index, from 1.

    A device without an index cannot be booted from.
    """
    members: dict[str, list[str]] = {
        "disk": [drive.id for drive in machine.drives if not drive.cdrom],
        "cdrom": [drive.id for drive in machine.drives if drive.cdrom],
        "ethernet": [nic.id for nic in machine.nics],
    }
    ordered = [device for kind in machine.boot for device in members[kind]]
    return {device: place for place, device in enumerate(ordered, start=1)}


def image_format(path: Path) -> str:
    """Return QEMU's image driver for a disk file."""
    return _FORMATS.get(path.suffix.lower(), "raw")


def _board(machine: Machine, wiring: Wiring) -> list[str]:
    cores = machine.cores_per_socket
    uuid = machine.uuid.hex()
    smbios = {
        "manufacturer": "VMware,, Inc.",
        "product": "VMware Virtual Platform",
        "version": "None",
        "serial": identifiers.serial_number(machine.uuid),
        "family": "",
    }
    return [
        "-name", f"guest={quoted(machine.name)}",
        "-no-user-config", "-nodefaults",
        "-machine", "pc,vmport=off",
        *wiring.accelerator,
        "-m", str(machine.memory_mib),
        "-smp", f"{machine.cpus},sockets={machine.cpus // cores},cores={cores},threads=1",
        "-uuid", f"{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}",
        "-smbios", "type=1," + ",".join(f"{key}={value}" for key, value in smbios.items() if value),
        "-rtc", "base=utc",
        "-boot", "menu=off,strict=on",
        "-display", wiring.display,
        "-vga", "std",
        "-object", "rng-builtin,id=rng0", "-device", "virtio-rng-pci,rng=rng0",
    ]  # fmt: skip


def _monitor(wiring: Wiring) -> list[str]:
    return [
        "-chardev", wiring.endpoints["qmp"].chardev("qmp"), "-mon", "chardev=qmp,mode=control",
        "-chardev", wiring.endpoints["agent"].chardev("agent"), "-device", "virtio-serial-pci,id=tools",
        "-device", "virtserialport,bus=tools.0,chardev=agent,name=org.qemu.guest_agent.0",
    ]  # fmt: skip


def _controllers(machine: Machine, scsi: Mapping[int, str]) -> list[str]:
    sata = sorted({drive.controller for drive in machine.drives if drive.bus == "sata"})
    words = [word for index in sata for word in ("-device", f"ich9-ahci,id=sata{index}")]
    return words + [word for index, model in scsi.items() for word in ("-device", f"{model},id=scsi{index}")]


def _drive(drive: Drive, boot_index: int | None) -> list[str]:
    bus = {
        "ide": f"ide.{drive.controller},unit={drive.unit}",
        "sata": f"sata{drive.controller}.{drive.unit}",
        "scsi": f"scsi{drive.controller}.0,scsi-id={drive.unit}",
    }[drive.bus]
    model = ("scsi" if drive.bus == "scsi" else "ide") + ("-cd" if drive.cdrom else "-hd")
    device = f"{model},id={drive.id},bus={bus}" + (f",bootindex={boot_index}" if boot_index else "")
    if drive.path is None:
        return ["-device", device]
    if drive.cdrom:
        backend = f"if=none,id=drive-{drive.id},file={quoted(str(drive.path))},format=raw,media=cdrom,readonly=on"
        return ["-drive", backend, "-device", f"{device},drive=drive-{drive.id}"]
    node = disk_node(drive.id, image_node(drive.path))
    return ["-blockdev", json.dumps(node), "-device", f"{device},drive={node['node-name']}"]


def disk_node(disk: str, image: Mapping[str, Any] | str) -> dict[str, Any]:
    """Return the block node to which a disk's device stays bound.

    `disk` is the device id. Between device and image there is a node that does nothing: below it the image can be
    exchanged, or taken away, while the VM is on (see `live_operations`).
    """
    return {
        "driver": "raw", "node-name": f"disk-{disk}", "cache": _CACHE, "discard": "unmap",
        "file": image if isinstance(image, str) else dict(image),
    }  # fmt: skip


def image_node(path: Path) -> dict[str, Any]:
    """Return the block node of a disk's file and its backing chain."""
    file = {"driver": "file", "filename": str(path), "aio": "threads", "cache": _CACHE, "discard": "unmap"}
    return {"driver": image_format(path), "cache": _CACHE, "discard": "unmap", "file": file}


def _nic(nic: Nic, wiring: Wiring, boot_index: int | None) -> list[str]:
    # Without a boot index the card's boot ROM would only cost time.
    device = f"{nic.model},id={nic.id},mac={nic.mac}" + (f",bootindex={boot_index}" if boot_index else ",romfile=")
    if not nic.vmnet:
        return ["-device", device]
    netdev = f"net-{nic.id}"
    return ["-netdev", wiring.endpoints[nic.id].netdev(netdev), "-device", f"{device},netdev={netdev}"]


def _serial(serial: devices.Serial) -> list[str]:
    name = serial.name
    target = "null" if serial.path is None else f"file,path={quoted(str(serial.path))},append=on"
    kind, _, options = target.partition(",")
    backend = ",".join(filter(None, [kind, f"id={name}", options]))
    return ["-chardev", backend, "-device", f"isa-serial,index={serial.index},chardev={name}"]
