"""The VMX of a new VM. Add a VMX key here. Pure.

The work-alike reads the same keys: `harness.vmrun_qemu.vmfiles.devices` maps devices to QEMU arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.config.model import LabSpec
from harness.core.layout import MachineFiles

DISK = "sata0:0"
CD = "sata0:1"
SECOND_CD = "sata0:2"  # of seeds that are made of Ubuntu's ISO: the data beside the installer
# Whether the ISO is in the drive at the next power-on: phases change it, a resumed run reads it.
CD_CONNECTED = f"{CD}.startConnected"
SECOND_CD_CONNECTED = f"{SECOND_CD}.startConnected"
# Keys, in lower case, that the phases themselves change.
CHANGED_BY_PHASES = (CD_CONNECTED.lower(), SECOND_CD_CONNECTED.lower(), "serial0.filename")

# VMware asks no question on a host without a user, and never sets the guest's clock (the time keys).
_UNATTENDED = {
    "uuid.action": "keep",  # `create` would replace `uuid.bios`, which is the run's nonce
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


# Workstation writes these for every VM: without them a device has no PCI slot.
_BRIDGES = {
    key: value
    for bridge in range(4, 8)
    for key, value in (
        (f"pciBridge{bridge}.present", "TRUE"),
        (f"pciBridge{bridge}.virtualDev", "pcieRootPort"),
        (f"pciBridge{bridge}.functions", "8"),
    )
}


def smbios_uuid(nonce: str) -> str:
    """Return a nonce in the form of `uuid.bios`: `56 4d … 0b-0c … 0f`."""
    octets = [nonce[i : i + 2] for i in range(0, 32, 2)]
    return " ".join(octets[:8]) + "-" + " ".join(octets[8:])


def vmx_keys(spec: LabSpec, name: str, files: MachineFiles, isos: Sequence[Path], nonce: str) -> dict[str, str]:
    """Return the keys of a new VM in the order of writing.

    Args:
        spec: The lab.
        name: The machine.
        files: Its files.
        isos: What is in its CD drives: the ISO that boots, then the data beside it if they are on another one.
        nonce: The run's nonce of the machine.
    """
    return {
        **_machine_keys(spec, name, nonce),
        **_boot_keys(spec, files),
        **_UNATTENDED,
        **_drive_keys(files),
        **_cd_keys(isos),
        **_network_keys(spec, spec.machines[name].mac),
        "serial0.present": "TRUE",
        "serial0.fileType": "file",
        "serial0.fileName": files.serial(1).name,
        "serial0.yieldOnMsrRead": "TRUE",
        **_BRIDGES,
    }


def _machine_keys(spec: LabSpec, name: str, nonce: str) -> dict[str, str]:
    hardware = spec.hardware
    return {
        ".encoding": "UTF-8",
        "config.version": "8",
        "virtualHW.version": str(hardware.hardware_version),
        "displayName": name,
        "guestOS": hardware.guest_os,
        "memsize": str(spec.memory_mib(name)),
        "numvcpus": str(spec.cpus(name)),
        "uuid.bios": smbios_uuid(nonce),
    }


def _boot_keys(spec: LabSpec, files: MachineFiles) -> dict[str, str]:
    """Return the boot order in VMware's words.

    VMware documents `hdd`, `cdrom`, `floppy` and `ethernetN`, and `bios.hddOrder` for the disk that `hdd` means (KB
    2011654). `disk` is a word of the lab file only. Without `firmware` a VM has a BIOS, as in every file that
    Workstation writes. Without `nvram` VMware chooses the name of that file, and it could be left behind.
    """
    words = ["hdd" if word == "disk" else word for word in spec.hardware.boot_order]
    return {
        "bios.bootOrder": ",".join(dict.fromkeys(words)),
        "bios.hddOrder": DISK,
        "nvram": files.vmx.with_suffix(".nvram").name,
    }


def _drive_keys(files: MachineFiles) -> dict[str, str]:
    return {
        "floppy0.present": "FALSE",
        "usb.present": "FALSE",
        "sound.present": "FALSE",
        "pciBridge0.present": "TRUE",
        "sata0.present": "TRUE",
        f"{DISK}.present": "TRUE",
        f"{DISK}.fileName": files.disk.name,
    }


def _cd_keys(isos: Sequence[Path]) -> dict[str, str]:
    return {
        f"{drive}.{key}": value
        for drive, iso in zip((CD, SECOND_CD), isos, strict=False)
        for key, value in (
            ("present", "TRUE"),
            ("fileName", str(iso)),
            ("deviceType", "cdrom-image"),
            ("startConnected", "TRUE"),
        )
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
