"""VMX -> QEMU arguments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.vmrun_qemu.base.endpoint import Endpoint
from harness.vmrun_qemu.base.messages import UNKNOWN, PowerOnFailure
from harness.vmrun_qemu.qemu import arguments
from harness.vmrun_qemu.vmfiles import devices
from harness.vmware.vmx import Vmx

FOLDER = Path("/vms/a,b")
LAB = """\
displayName = "k3s, one"
memsize = "4096"
numvcpus = "4"
cpuid.coresPerSocket = "2"
uuid.bios = "56 4d 0a 0b 0c 0d 0e 0f-01 02 03 04 05 06 07 08"
sata0.present = "TRUE"
sata0:0.present = "TRUE"
sata0:0.fileName = "a.vmdk"
sata0:1.present = "TRUE"
sata0:1.deviceType = "cdrom-image"
sata0:1.fileName = "/seeds/seed.iso"
bios.bootOrder = "hdd,cdrom"
ethernet0.present = "TRUE"
ethernet0.connectionType = "hostonly"
ethernet0.vnet = "VMnet1"
ethernet0.addressType = "static"
ethernet0.address = "00:50:56:00:00:0A"
serial0.present = "TRUE"
serial0.fileType = "file"
serial0.fileName = "serial0.log"
floppy0.present = "FALSE"
sound.present = "TRUE"
"""


def inside(name: str) -> str:
    """Return the path of a VM's file, escaped for a QEMU option."""
    return str(FOLDER / name).replace(",", ",,")


def built(text: str) -> list[str]:
    vmx = Vmx.parse(text)
    machine = arguments.machine_of(vmx, FOLDER)
    endpoints = {name: Endpoint(f"/run/vq/{name}") for name in ("qmp", "agent", "ethernet0", "ethernet1")}
    return arguments.arguments(machine, arguments.Wiring(endpoints, ("-accel", "tcg")), arguments.scsi_devices(vmx))


def values(argv: list[str], option: str) -> list[str]:
    return [argv[index + 1] for index, word in enumerate(argv) if word == option]


def with_line(line: str) -> str:
    return LAB + line + "\n"


def device(argv: list[str], name: str) -> str:
    return next(value for value in values(argv, "-device") if f"id={name}," in value + ",")


def test_memory_processors_and_name() -> None:
    argv = built(LAB)
    assert values(argv, "-m") == ["4096"]
    assert values(argv, "-smp") == ["4,sockets=2,cores=2,threads=1"]
    assert values(argv, "-name") == ["guest=k3s,, one"]


def test_the_serial_number_is_vmwares_form_of_uuid_bios() -> None:
    argv = built(LAB)
    assert values(argv, "-uuid") == ["564d0a0b-0c0d-0e0f-0102-030405060708"]
    (smbios,) = values(argv, "-smbios")
    assert "manufacturer=VMware,, Inc.,product=VMware Virtual Platform" in smbios
    assert ",serial=VMware-56 4d 0a 0b 0c 0d 0e 0f-01 02 03 04 05 06 07 08" in smbios


def test_the_disk_is_beside_the_vmx_and_first_in_the_boot_order() -> None:
    argv = built(LAB)
    (cdrom,) = values(argv, "-drive")
    (disk,) = map(json.loads, values(argv, "-blockdev"))
    assert (disk["driver"], disk["file"]["driver"], disk["node-name"]) == ("raw", "vmdk", "disk-sata0-0")
    assert disk["file"]["file"] == {**disk["file"]["file"], "driver": "file", "filename": str(FOLDER / "a.vmdk")}
    assert disk["cache"] == {"direct": False, "no-flush": False}
    assert f"file={Path('/seeds/seed.iso')},format=raw,media=cdrom,readonly=on" in cdrom
    assert device(argv, "sata0-0") == "ide-hd,id=sata0-0,bus=sata0.0,bootindex=1,drive=disk-sata0-0"
    assert device(argv, "sata0-1") == "ide-cd,id=sata0-1,bus=sata0.1,bootindex=2,drive=drive-sata0-1"
    assert values(argv, "-boot") == ["menu=off,strict=on"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("hdd,cdrom", {"sata0-0": 1, "sata0-1": 2}),
        ("CDROM, HDD", {"sata0-1": 1, "sata0-0": 2}),
        ("cdrom", {"sata0-1": 1}),
        ("floppy,hdd,ethernet0", {"sata0-0": 1, "ethernet0": 2}),
        ("disk,cdrom", {"sata0-1": 1}),
        ("cd, disk, hdd", {"sata0-0": 1}),
        ("disk", {"sata0-0": 1, "sata0-1": 2}),
        ("", {"sata0-0": 1, "sata0-1": 2}),
    ],
)
def test_boot_order(order: str, expected: dict[str, int]) -> None:
    machine = arguments.machine_of(Vmx.parse(with_line(f'bios.bootOrder = "{order}"')), FOLDER)
    assert arguments.boot_indices(machine) == expected


def test_a_disconnected_cd_is_an_empty_tray_in_a_present_drive() -> None:
    argv = built(with_line('sata0:1.startConnected = "FALSE"'))
    assert values(argv, "-drive") == []
    assert device(argv, "sata0-1") == "ide-cd,id=sata0-1,bus=sata0.1,bootindex=2"


def test_the_hosts_own_drive_is_an_empty_tray() -> None:
    argv = built(with_line('sata0:1.deviceType = "cdrom-raw"\nsata0:1.fileName = "auto detect"'))
    assert device(argv, "sata0-1").startswith("ide-cd,")
    assert values(argv, "-drive") == []


def test_the_card_listens_for_the_switch_and_has_the_static_address() -> None:
    argv = built(LAB)
    assert values(argv, "-netdev") == ["stream,id=net-ethernet0,server=on,addr.type=unix,addr.path=/run/vq/ethernet0"]
    card = device(argv, "ethernet0")
    assert card == "e1000,id=ethernet0,mac=00:50:56:00:00:0a,romfile=,netdev=net-ethernet0"


def test_on_windows_everything_listens_on_loopback() -> None:
    vmx = Vmx.parse(LAB)
    endpoints = {name: Endpoint(f"127.0.0.1:{port}") for port, name in enumerate(["qmp", "agent", "ethernet0"], 4000)}
    wiring = arguments.Wiring(endpoints, ())
    argv = arguments.arguments(arguments.machine_of(vmx, FOLDER), wiring, {})
    assert values(argv, "-chardev")[0] == "socket,id=qmp,host=127.0.0.1,port=4000,server=on,wait=off"
    (netdev,) = values(argv, "-netdev")
    assert netdev == "stream,id=net-ethernet0,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=4002"


def test_the_serial_port_appends_to_its_file() -> None:
    argv = built(LAB)
    assert f"file,id=serial0,path={inside('serial0.log')},append=on" in values(argv, "-chardev")
    assert "isa-serial,index=0,chardev=serial0" in values(argv, "-device")


def test_a_serial_port_that_is_no_file_leads_nowhere() -> None:
    argv = built(with_line('serial0.fileType = "pipe"'))
    assert "null,id=serial0" in values(argv, "-chardev")


@pytest.mark.parametrize(
    ("lines", "network"),
    [
        ('ethernet0.connectionType = "nat"\nethernet0.vnet = ""', "vmnet8"),
        ('ethernet0.connectionType = "hostonly"\nethernet0.vnet = ""', "vmnet1"),
        ('ethernet0.connectionType = "custom"\nethernet0.vnet = "/dev/vmnet3"', "vmnet3"),
        ('ethernet0.connectionType = "custom"\nethernet0.vnet = "VMnet0"', ""),
        ('ethernet0.connectionType = "bridged"', ""),
        ('ethernet0.connectionType = "pvn"', ""),
    ],
)
def test_networks(lines: str, network: str) -> None:
    (nic,) = devices.nics(Vmx.parse(with_line(lines)))
    assert nic.vmnet == network


def test_a_card_without_a_network_has_no_cable() -> None:
    argv = built(with_line('ethernet0.connectionType = "bridged"'))
    assert values(argv, "-netdev") == []
    assert device(argv, "ethernet0").endswith("romfile=")


def test_scsi_and_ide() -> None:
    argv = built(
        with_line(
            'scsi0.present = "TRUE"\nscsi0.virtualDev = "pvscsi"\nscsi0:3.present = "TRUE"\n'
            'scsi0:3.fileName = "b.vmdk"\nide1:0.present = "TRUE"\nide1:0.fileName = "c.vmdk"'
        )
    )
    assert device(argv, "scsi0") == "pvscsi,id=scsi0"
    assert device(argv, "scsi0-3").startswith("scsi-hd,id=scsi0-3,bus=scsi0.0,scsi-id=3,")
    assert device(argv, "ide1-0").startswith("ide-hd,id=ide1-0,bus=ide.1,unit=0,")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('firmware = "efi"', "firmware"),
        ('memsize = "4 GB"', "memsize"),
        ('memsize = "0"', "memsize"),
        ('numvcpus = "3"', "multiple"),
        ('sata0:6.present = "TRUE"\nsata0:6.fileName = "x.vmdk"', "sata0:6"),
        ('nvme0.present = "TRUE"\nnvme0:0.present = "TRUE"', "NVME"),
        ('sata0:0.fileName = ""', "without a fileName"),
        ('sata0:0.deviceType = "rawDisk"', "rawdisk"),
        ('ethernet0.virtualDev = "vlance"', "vlance"),
        ('ethernet0.address = "01:00:5e:00:00:01"', "not an address"),
        ('ethernet0.address = "nonsense"', "not an address"),
        ('scsi0.present = "TRUE"\nscsi0.virtualDev = "buslogic"', "buslogic"),
    ],
)
def test_what_cannot_be_built_is_vmwares_unknown_error_with_a_reason(line: str, reason: str) -> None:
    with pytest.raises(PowerOnFailure) as caught:
        built(with_line(line))
    assert caught.value.text == UNKNOWN
    assert reason in caught.value.reason


def test_a_controller_that_is_not_present_takes_its_drives_along() -> None:
    assert arguments.machine_of(Vmx.parse(with_line('sata0.present = "FALSE"')), FOLDER).drives == []
