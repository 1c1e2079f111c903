"""Devices of a VMX."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.vmrun_qemu.base.messages import UNKNOWN, PowerOnFailure
from harness.vmrun_qemu.vmfiles import devices
from harness.vmware.vmx import Vmx

FOLDER = Path("/vms/m")
DRIVES = """\
scsi0.present = "TRUE"
scsi0:1.present = "TRUE"
scsi0:1.fileName = "b.vmdk"
sata0.present = "TRUE"
sata0:0.present = "TRUE"
sata0:0.fileName = "a.vmdk"
sata0:1.present = "TRUE"
sata0:1.deviceType = "cdrom-image"
sata0:1.fileName = "seed.iso"
sata0:2.present = "FALSE"
sata0:2.fileName = "c.vmdk"
"""


def test_drives_are_in_the_order_of_their_controllers() -> None:
    found = devices.drives(Vmx.parse(DRIVES), FOLDER)
    assert [(drive.name, drive.id, drive.cdrom, drive.path) for drive in found] == [
        ("sata0:0", "sata0-0", False, FOLDER / "a.vmdk"),
        ("sata0:1", "sata0-1", True, FOLDER / "seed.iso"),
        ("scsi0:1", "scsi0-1", False, FOLDER / "b.vmdk"),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('nvme0.present = "TRUE"\nnvme0:0.present = "TRUE"', "NVME controllers are not supported, as for nvme0:0"),
        ('sata0:9.present = "TRUE"', "No slot available for sata0:9"),
        ('sata0:3.present = "TRUE"', "sata0:3 is a disk without a fileName"),
        ('sata0:3.present = "TRUE"\nsata0:3.deviceType = "tape"', 'sata0:3.deviceType = "tape" is not supported'),
    ],
)
def test_an_unsupported_drive_is_vmwares_unknown_error_with_a_reason(line: str, reason: str) -> None:
    with pytest.raises(PowerOnFailure) as caught:
        devices.drives(Vmx.parse(DRIVES + line + "\n"), FOLDER)
    assert caught.value.text == UNKNOWN
    assert caught.value.reason.startswith(reason)


def test_a_number_has_a_default_and_limits() -> None:
    vmx = Vmx.parse('memsize = "4 GB"\nnumvcpus = "0"\n')
    assert devices.number(vmx, "cpuid.coresPerSocket", 1, 1, 255) == 1
    for key in ("memsize", "numvcpus"):
        with pytest.raises(PowerOnFailure) as caught:
            devices.number(vmx, key, 1, 1, 255)
        assert "expected an integer from 1 to 255" in caught.value.reason


def test_a_file_name_is_relative_to_the_vmx_and_may_have_backslashes() -> None:
    assert devices.resolve(FOLDER, "a.vmdk") == FOLDER / "a.vmdk"
    assert devices.resolve(FOLDER, r"sub\a.vmdk") == FOLDER / "sub" / "a.vmdk"
    assert devices.resolve(FOLDER, "/else/a.vmdk") == Path("/else/a.vmdk")


def test_a_card_has_a_model_and_an_address_of_its_own() -> None:
    card = (
        'ethernet1.present = "TRUE"\nethernet1.connectionType = "nat"\nethernet1.generatedAddress = "00:0C:29:1:2:3"\n'
    )
    with pytest.raises(PowerOnFailure) as caught:
        devices.nics(Vmx.parse(card))
    assert "is not an address of a network card" in caught.value.reason
    (nic,) = devices.nics(Vmx.parse(card.replace("1:2:3", "01:02:03")))
    assert nic == devices.Nic(1, "e1000", "00:0c:29:01:02:03", "vmnet8", connected=True)
    assert nic.id == "ethernet1"
