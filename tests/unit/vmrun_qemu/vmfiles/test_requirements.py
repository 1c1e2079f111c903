"""What VMware refuses at power-on, the work-alike refuses."""

from __future__ import annotations

import pytest

from harness.vmrun_qemu.base.messages import PowerOnFailure
from harness.vmrun_qemu.vmfiles.requirements import check_power_on
from harness.vmware.vmx import Vmx

GOOD = 'config.version = "8"\nvirtualHW.version = "21"\nguestOS = "ubuntu-64"\nmemsize = "4096"\n'
BRIDGE = 'pciBridge4.present = "TRUE"\npciBridge4.virtualDev = "pcieRootPort"\n'
CARD = 'ethernet0.present = "TRUE"\nethernet0.virtualDev = "vmxnet3"\n'


def refusal(lines: str) -> tuple[str, str, str]:
    """Return message, reason and message id of a refused VMX."""
    with pytest.raises(PowerOnFailure) as caught:
        check_power_on(Vmx.parse(lines))
    return caught.value.text, caught.value.reason, caught.value.message_id


@pytest.mark.parametrize(
    "line",
    [
        "",
        'virtualHW.version = "22"',
        'memsize = ""',
        'encryption.data = ""',
        'ethernet0.present = "TRUE"\nethernet0.virtualDev = "e1000"',
        'scsi0.present = "TRUE"\nscsi0.virtualDev = "lsilogic"',
        'scsi0.present = "FALSE"\nscsi0.virtualDev = "pvscsi"',
        CARD + BRIDGE,
        CARD + CARD.replace("ethernet0", "ethernet1") + BRIDGE + 'pciBridge4.functions = "8"',
    ],
)
def test_what_vmware_starts_is_not_refused(line: str) -> None:
    check_power_on(Vmx.parse(GOOD + line))


@pytest.mark.parametrize(
    "line",
    ['encryption.keySafe = "vmware:key/list/(pair)"', 'Encryption.Data = "AAAA"', 'encryptedVM.guid = "{52E}"'],
)
def test_an_encrypted_vm_wants_a_password(line: str) -> None:
    for lines in (line, GOOD + line):
        assert refusal(lines)[0] == "A password is required for this operation"


@pytest.mark.parametrize("version", ["23", "99", "999"])
def test_hardware_that_is_too_new(version: str) -> None:
    text, reason, message_id = refusal(GOOD + f'virtualHW.version = "{version}"')
    assert (text, message_id) == ("The operation was canceled", "msg.upgrade.tooNewCurrentHWVersion")
    assert f"hardware version {version}" in reason


@pytest.mark.parametrize("version", ["", "x", "-1", "0", "2", "19.0", "1e2", "99999"])
def test_hardware_that_is_no_version(version: str) -> None:
    text, reason, _ = refusal(GOOD + f'virtualHW.version = "{version}"')
    assert text == "The operation was canceled"
    assert f'virtualHW.version = "{version}"' in reason


@pytest.mark.parametrize("size", ["255", "4 GB", "0", "2", "-4", "4096.0", "4194304", "99999999999"])
def test_memory_that_no_vm_has(size: str) -> None:
    text, reason, _ = refusal(GOOD + f'memsize = "{size}"')
    assert text == "The operation was canceled"
    assert f'memsize = "{size}"' in reason


@pytest.mark.parametrize(
    ("lines", "device"),
    [
        (CARD, "Ethernet0"),
        (CARD.replace("vmxnet3", "e1000e"), "Ethernet0"),
        (CARD.replace("vmxnet3", "VMXNET3"), "Ethernet0"),
        ('scsi0.present = "TRUE"\nscsi0.virtualDev = "pvscsi"', "SCSI0"),
        ('nvme0.present = "TRUE"', "NVME0"),
        (CARD + BRIDGE.replace("TRUE", "FALSE"), "Ethernet0"),
        (CARD + BRIDGE.replace("pcieRootPort", ""), "Ethernet0"),
        (CARD + CARD.replace("ethernet0", "ethernet1") + BRIDGE, "Ethernet1"),
    ],
)
def test_a_device_on_pcie_wants_a_slot_of_a_bridge(lines: str, device: str) -> None:
    text, reason, _ = refusal(GOOD + lines)
    assert (text, reason) == ("Unknown error", f"No PCIe slot available for {device}.")


@pytest.mark.parametrize("key", ["config.version", "guestOS"])
def test_a_key_that_every_vm_has(key: str) -> None:
    vmx = Vmx.parse(GOOD)
    vmx.remove(key)
    text, reason, _ = refusal(vmx.text())
    assert text == "The operation was canceled"
    assert key in reason
