"""Refuse at power-on what VMware refuses. Pure.

Messages of encrypted VMs, of the hardware version and of PCIe slots are VMware's, as seen. Those of a missing
`config.version` or `guestOS` and of the memory are not known: VMware shows such an error in a dialog, which `nogui`
closes, and so the command reports `The operation was canceled`.
"""

from __future__ import annotations

import re

from harness.vmrun_qemu.base.messages import CANCELED, ENCRYPTED, UNKNOWN, PowerOnFailure
from harness.vmware.vmx import Vmx

# Of Workstation 25H2; `upgradevm` sets that of 17.6, whose version this program reports.
NEWEST_HARDWARE = 22
_OLDEST_HARDWARE = 3
_MEMORY_STEP_MIB = 4
_MOST_MEMORY_MIB = 1 << 20
_REQUIRED = ("config.version", "guestOS")
_ENCRYPTED = re.compile(r"^(?:encryption\..+|encryptedVM\.guid)$", re.IGNORECASE)
# Devices on PCI Express, which want a slot of a root port: pciBridge4 to pciBridge7 in Workstation's own files.
_SCSI_ON_PCIE = ("pvscsi",)
_NICS_ON_PCIE = ("vmxnet3", "e1000e")
_CONTROLLER = re.compile(r"^(scsi|nvme)(\d+)\.present$", re.IGNORECASE)
_NIC = re.compile(r"^ethernet(\d+)\.present$", re.IGNORECASE)
_BRIDGE = re.compile(r"^(pciBridge\d+)\.present$", re.IGNORECASE)


def check_power_on(vmx: Vmx) -> None:
    """Check what VMware checks before it powers a VM on.

    Raises:
        PowerOnFailure: VMware would refuse the VM, with VMware's message.
    """
    check_not_encrypted(vmx)
    for key in _REQUIRED:
        if not (vmx.get(key) or "").strip():
            raise PowerOnFailure(f"{key} is missing in the configuration file", CANCELED)
    _check_hardware_version(vmx)
    _check_memory(vmx)
    _check_slots(vmx)


def check_not_encrypted(vmx: Vmx) -> None:
    """Check that a VM is not encrypted: no key of this program opens it.

    Raises:
        PowerOnFailure: It is; every command that reads the VM fails so.
    """
    if any(_ENCRYPTED.match(key) and value for key, value in vmx.items()):
        raise PowerOnFailure(f"This virtual machine is encrypted. {ENCRYPTED}", ENCRYPTED)


def _check_hardware_version(vmx: Vmx) -> None:
    version = vmx.get("virtualHW.version")
    if version is None:
        return
    if not re.fullmatch(r"[0-9]{1,4}", version.strip()) or int(version) < _OLDEST_HARDWARE:
        raise PowerOnFailure(f'virtualHW.version = "{version}" is not a virtual hardware version', CANCELED)
    if int(version) > NEWEST_HARDWARE:
        raise PowerOnFailure(
            f"This virtual machine uses hardware version {int(version)}, which is too new: "
            f"this product supports hardware version {NEWEST_HARDWARE} at most.",
            CANCELED,
            message_id="msg.upgrade.tooNewCurrentHWVersion",
        )


def _check_memory(vmx: Vmx) -> None:
    size = vmx.get("memsize")
    if not size:
        return
    known = re.fullmatch(r"[0-9]{1,9}", size.strip())
    if not known or int(size) % _MEMORY_STEP_MIB or not _MEMORY_STEP_MIB <= int(size) <= _MOST_MEMORY_MIB:
        limits = f"from {_MEMORY_STEP_MIB} to {_MOST_MEMORY_MIB}"
        raise PowerOnFailure(f'memsize = "{size}": expected a multiple of {_MEMORY_STEP_MIB} {limits}', CANCELED)


def _check_slots(vmx: Vmx) -> None:
    """Raise unless each PCI Express device has a slot of a root port."""
    wanted = _devices_on_pcie(vmx)
    slots = sum(_slots_of(vmx, match[1]) for key, _ in vmx.items() if (match := _BRIDGE.match(key)))
    for device in wanted[slots:]:
        raise PowerOnFailure(f"No PCIe slot available for {device}.", UNKNOWN)


def _devices_on_pcie(vmx: Vmx) -> list[str]:
    found = []
    for key in (key for key, _ in vmx.items()):
        device = key.rpartition(".")[0]
        model = (vmx.get(f"{device}.virtualDev") or "").lower()
        if not vmx.flag(key):
            continue
        if match := _CONTROLLER.match(key):
            if match[1].lower() == "nvme" or model in _SCSI_ON_PCIE:
                found.append(f"{match[1].upper()}{match[2]}")
        elif (match := _NIC.match(key)) and model in _NICS_ON_PCIE:
            found.append(f"Ethernet{match[1]}")
    return found


def _slots_of(vmx: Vmx, bridge: str) -> int:
    """Return the slots of a bridge, one for each of its functions."""
    if not vmx.flag(f"{bridge}.present") or (vmx.get(f"{bridge}.virtualDev") or "").lower() != "pcierootport":
        return 0
    functions = vmx.get(f"{bridge}.functions") or "1"
    return int(functions) if functions.isascii() and functions.isdigit() and int(functions) < 9 else 1
