"""Devices of a VMX against its plan."""

from __future__ import annotations

import pytest

from harness.vmware.vmx_devices import vmx_differences

PLANNED = {
    "memsize": "4096",
    "floppy0.present": "FALSE",
    "usb.present": "FALSE",
    "sata0.present": "TRUE",
    "sata0:0.present": "TRUE",
    "sata0:0.fileName": "m.vmdk",
    "sata0:1.present": "TRUE",
    "sata0:1.deviceType": "cdrom-image",
    "sata0:1.startConnected": "TRUE",
    "ethernet0.present": "TRUE",
    "ethernet0.connectionType": "hostonly",
    "serial0.present": "TRUE",
    "serial0.fileName": "serial-1.log",
}


@pytest.mark.parametrize(
    "device",
    [
        "ethernet1", "Ethernet7", "sata0:2", "SATA3:29", "scsi0", "scsi0:0", "ide1:0", "nvme0:0", "serial1",
        "parallel0", "floppy1", "usb_xhci", "ehci", "usb:0", "sharedFolder0", "pciPassthru0", "sound", "vtpm",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", ["TRUE", "true", "1", "yes"])
def test_a_further_device_is_a_difference(device: str, value: str) -> None:
    found = vmx_differences(PLANNED, {**PLANNED, f"{device}.present": value})
    assert found == [f"{device.lower()} is not planned"]


def test_a_planned_absence_that_is_there_is_named() -> None:
    found = vmx_differences(PLANNED, {**PLANNED, "usb.present": "TRUE"})
    assert found[0] == "usb.present is 'TRUE', not 'FALSE'"


def test_a_further_device_is_shown_with_what_it_leads_to() -> None:
    card = {"ethernet1.present": "TRUE", "ethernet1.connectionType": "nat"}
    drive = {"sata0:2.present": "TRUE", "sata0:2.deviceType": "cdrom-image", "sata0:2.fileName": "/seed.iso"}
    assert vmx_differences(PLANNED, {**PLANNED, **card, **drive}) == [
        "ethernet1 is not planned (connectionType 'nat')",
        "sata0:2 is not planned (deviceType 'cdrom-image', fileName '/seed.iso')",
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sata0:0.mode", "independent-nonpersistent"),
        ("sata0:0.deviceType", "cdrom-image"),
        ("ethernet0.vnet", "vmnet8"),
        ("sata0:1.FILENAME", "other.iso"),
        ("RemoteDisplay.vnc.enabled", "TRUE"),
        ("debugStub.listen.guest64", "TRUE"),
    ],
)
def test_an_unplanned_key_that_opens_the_vm_is_a_difference(key: str, value: str) -> None:
    assert vmx_differences(PLANNED, {**PLANNED, key: value}) == [f"{key} is {value!r}, and is not planned"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ethernet1.present", "FALSE"), ("ethernet1.connectionType", "nat"), ("scsi0.present", ""),
        ("vmci0.present", "TRUE"), ("hpet0.present", "TRUE"), ("pciBridge9.present", "TRUE"),
        ("ethernet0.pciSlotNumber", "160"), ("ethernet0.generatedAddress", "00:0c:29:01:02:03"),
        ("sata0:0.redo", ""), ("sata0:0.deviceType", "disk"), ("sata0:0.mode", "persistent"),
        ("RemoteDisplay.vnc.enabled", "FALSE"), ("cleanShutdown", "TRUE"),
    ],
)  # fmt: skip
def test_what_vmware_writes_itself_is_no_difference(key: str, value: str) -> None:
    assert vmx_differences(PLANNED, {**PLANNED, key: value}) == []


def test_keys_are_compared_without_case() -> None:
    assert vmx_differences(PLANNED, {key.upper(): value for key, value in PLANNED.items()}) == []


def test_an_ignored_key_may_have_any_value() -> None:
    read = {**PLANNED, "sata0:1.startConnected": "FALSE"}
    assert vmx_differences(PLANNED, read, ("sata0:1.startconnected",)) == []
    assert len(vmx_differences(PLANNED, read)) == 1
