"""Devices of a VMX as plain values, independent of QEMU."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.vmrun_qemu.base.messages import UNKNOWN, PowerOnFailure
from harness.vmware.vmx import Vmx

# Controllers in the order in which their disks are tried at boot, with the number of controllers and of units on each.
# VMware has 30 SATA ports on a controller; QEMU's AHCI has 6.
CONTROLLERS = {"ide": (2, 2), "sata": (4, 6), "scsi": (4, 16)}
_UNIT = re.compile(r"^(ide|sata|scsi|nvme)([0-9]{1,9}):([0-9]{1,9})\.(?:present|filename)$", re.IGNORECASE)
_NIC = re.compile(r"^ethernet([0-9]{1,9})\.present$", re.IGNORECASE)
_SERIAL = re.compile(r"^serial([0-9]{1,9})\.present$", re.IGNORECASE)
_BOOT_WORDS = {"hdd": "disk", "cdrom": "cdrom"}
_MAC = re.compile(r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")

# connectionType -> VMware's network; a bridge needs privileges that this program does not have.
NETWORKS = {"hostonly": "vmnet1", "nat": "vmnet8", "bridged": ""}
NIC_MODELS = ("e1000", "e1000e", "vmxnet3")


def unsupported(reason: str) -> PowerOnFailure:
    """Return the failure of a VMX with an unsupported setting.

    VMware prints only `Unknown error`; the reason goes to the log.
    """
    return PowerOnFailure(reason, UNKNOWN)


@dataclass(frozen=True)
class Drive:
    """A disk or CD drive; `path` is None for an empty tray."""

    bus: str
    controller: int
    unit: int
    cdrom: bool
    path: Path | None

    @property
    def name(self) -> str:
        """The VMX device id, as in `sata0:1`."""
        return f"{self.bus}{self.controller}:{self.unit}"

    @property
    def id(self) -> str:
        """The device id in QEMU, which allows no colon."""
        return self.name.replace(":", "-")


@dataclass(frozen=True)
class Nic:
    """A network card; `vmnet` is empty when it cannot be connected."""

    index: int
    model: str
    mac: str
    vmnet: str
    connected: bool

    @property
    def id(self) -> str:
        """The device id, in the VMX and in QEMU."""
        return f"ethernet{self.index}"


@dataclass(frozen=True)
class Serial:
    """A serial port; without `path` it is not connected."""

    index: int
    path: Path | None

    @property
    def name(self) -> str:
        """The device id, in the VMX and in QEMU."""
        return f"serial{self.index}"


def number(vmx: Vmx, key: str, default: int, low: int, high: int) -> int:
    """Return an integer setting.

    Raises:
        PowerOnFailure: It is no integer, or out of range.
    """
    text = vmx.get(key) or str(default)
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise unsupported(f'{key} = "{text}": expected an integer from {low} to {high}')
    return value


def resolve(folder: Path, name: str) -> Path:
    """Return the path of a file that a VMX names."""
    return folder / name.replace("\\", "/") if "\\" in name and not Path(name).is_absolute() else folder / name


def drives(vmx: Vmx, folder: Path) -> list[Drive]:
    """Return the disks and CD drives, in boot order within each kind.

    Raises:
        PowerOnFailure: A controller, unit or device type is unsupported.
    """
    places = {(m[1].lower(), int(m[2]), int(m[3])) for key, _ in vmx.items() if (m := _UNIT.match(key))}
    found = []
    buses = list(CONTROLLERS)
    for bus, controller, unit in sorted(places, key=lambda p: (buses.index(p[0]) if p[0] in buses else 9, p[1], p[2])):
        name = f"{bus}{controller}:{unit}"
        if not (vmx.flag(f"{name}.present") and vmx.flag(f"{bus}{controller}.present", default=bus == "ide")):
            continue
        if bus not in CONTROLLERS:
            raise unsupported(f"{bus.upper()} controllers are not supported, as for {name}")
        if controller >= CONTROLLERS[bus][0] or unit >= CONTROLLERS[bus][1]:
            raise unsupported(f"No slot available for {name}: {bus} has {CONTROLLERS[bus]} controllers and units")
        found.append(_drive(vmx, folder, bus, controller, unit))
    return found


def _drive(vmx: Vmx, folder: Path, bus: str, controller: int, unit: int) -> Drive:
    name = f"{bus}{controller}:{unit}"
    kind = (vmx.get(f"{name}.deviceType") or "").lower()
    file = vmx.get(f"{name}.fileName") or ""
    if kind.startswith(("cdrom", "atapi-cdrom")):
        image = kind == "cdrom-image" and vmx.flag(f"{name}.startConnected", default=True) and file
        return Drive(bus, controller, unit, cdrom=True, path=resolve(folder, file) if image else None)
    if kind not in ("", "disk", "scsi-harddisk", "ata-harddisk", "scsi-harddrive", "harddisk"):
        raise unsupported(f'{name}.deviceType = "{kind}" is not supported')
    if not file:
        raise unsupported(f"{name} is a disk without a fileName")
    return Drive(bus, controller, unit, cdrom=False, path=resolve(folder, file))


def nics(vmx: Vmx) -> list[Nic]:
    """Return the network cards.

    `power_on_changes` must have written their addresses before.

    Raises:
        PowerOnFailure: A model or an address is unsupported.
    """
    indices = sorted(int(m[1]) for key, _ in vmx.items() if (m := _NIC.match(key)))
    return [_nic(vmx, index) for index in indices if vmx.flag(f"ethernet{index}.present")]


def _nic(vmx: Vmx, index: int) -> Nic:
    name = f"ethernet{index}"
    model = (vmx.get(f"{name}.virtualDev") or "e1000").lower()
    if model not in NIC_MODELS:
        raise unsupported(f'{name}.virtualDev = "{model}" is not supported; supported are: {", ".join(NIC_MODELS)}')
    static = (vmx.get(f"{name}.addressType") or "generated").lower() == "static"
    mac = (vmx.get(f"{name}.address" if static else f"{name}.generatedAddress") or "").lower().replace("-", ":")
    if not _MAC.match(mac) or int(mac[:2], 16) & 1:
        raise unsupported(f'{name}: "{mac}" is not an address of a network card')
    return Nic(index, model, mac, network_of(vmx, name), vmx.flag(f"{name}.startConnected", default=True))


def network_of(vmx: Vmx, name: str) -> str:
    """Return `vmnetN` for a network card; empty if it cannot be connected.

    A bridge and a LAN segment cannot.
    """
    kind = (vmx.get(f"{name}.connectionType") or "bridged").lower()
    named = (vmx.get(f"{name}.vnet") or "").lower().replace("/dev/", "")
    if kind in ("custom", "hostonly", "nat") and re.fullmatch(r"vmnet\d{1,3}", named):
        return "" if named == "vmnet0" else named
    return NETWORKS.get(kind, "")


def serials(vmx: Vmx, folder: Path) -> list[Serial]:
    """Return the serial ports; only those with a file are connected."""
    ports = sorted(int(m[1]) for key, _ in vmx.items() if (m := _SERIAL.match(key)))
    found = []
    for index in ports:
        name = f"serial{index}"
        if not vmx.flag(f"{name}.present") or index > 3:  # a PC has four
            continue
        file = vmx.get(f"{name}.fileName") or ""
        used = (vmx.get(f"{name}.fileType") or "device").lower() == "file" and file
        connected = used and vmx.flag(f"{name}.startConnected", default=True)
        found.append(Serial(index, resolve(folder, file) if connected else None))
    return found


def boot_classes(vmx: Vmx) -> list[str]:
    """Return the device classes in boot order, by default disk, then CD.

    The classes are `disk`, `cdrom` and `ethernet`. VMware documents `hdd`, `cdrom`, `floppy` and `ethernetN`. Any other
    word is ignored, `disk` too: with `disk,cdrom` the CD boots first. (That VMware ignores it is a guess: it stands in
    no document of VMware, and labs that wrote it had reinstall loops.) Without a known word the default applies.
    """
    order: list[str] = []
    for word in (vmx.get("bios.bootOrder") or "").lower().split(","):
        kind = "ethernet" if word.strip().startswith("ethernet") else _BOOT_WORDS.get(word.strip(), "")
        if kind and kind not in order:
            order.append(kind)
    return order or ["disk", "cdrom"]
