from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab_file import LAB_FILE, OF_UBUNTU, changed

from harness.config.loader import build
from harness.config.plan import LabPlan, make_plan
from harness.config.vmx_template import CD, CD_CONNECTED, smbios_uuid
from harness.vmware.vmx import Vmx


def plan_of(*changes: tuple[str, str]) -> LabPlan:
    return make_plan(build(changed(*changes), LAB_FILE), LAB_FILE, overlay=None, run_id="run")


@settings(deadline=None)
@given(st.text("0123456789abcdef", min_size=32, max_size=32))
def test_the_uuid_of_a_nonce_is_the_nonce_in_vmwares_form(nonce: str) -> None:
    uuid = smbios_uuid(nonce)
    assert uuid.replace(" ", "").replace("-", "") == nonce
    assert len(uuid) == 47
    assert uuid[23] == "-"


# Keys of the reference lab without which a VM cannot be installed, found, or run without questions.
VMX = {
    "displayName": "k3s-worker1",
    "guestOS": "ubuntu-64",
    "memsize": "4096",
    "numvcpus": "2",
    "bios.bootOrder": "hdd,cdrom",
    "bios.hddOrder": "sata0:0",
    "nvram": "k3s-worker1.nvram",
    "sata0:0.fileName": "k3s-worker1.vmdk",
    "sata0:1.deviceType": "cdrom-image",
    "sata0:1.startConnected": "TRUE",
    "ethernet0.connectionType": "hostonly",
    "ethernet0.addressType": "generated",
    "serial0.fileName": "serial-1.log",
    "msg.autoAnswer": "TRUE",
    "uuid.action": "keep",
    "tools.syncTime": "FALSE",
    "floppy0.present": "FALSE",
}


@pytest.mark.parametrize("key", VMX)
def test_vmx(key: str) -> None:
    assert plan_of().machine("k3s-worker1").vmx[key] == VMX[key]


@pytest.mark.parametrize(
    ("order", "written"),
    [("hdd, cdrom", "hdd,cdrom"), ("disk, hdd, cdrom", "hdd,cdrom"), ("hdd, cdrom, disk", "hdd,cdrom")],
)
def test_the_boot_order_has_vmwares_words_whatever_the_lab_file_says(order: str, written: str) -> None:
    vmx = plan_of(("boot_order: [disk, cdrom]", f"boot_order: [{order}]")).machines[0].vmx
    assert vmx["bios.bootOrder"] == written


def test_bios_is_what_a_vmx_without_firmware_has() -> None:
    assert "firmware" not in plan_of().machines[0].vmx


def test_the_vmx_survives_a_file(tmp_path: Path) -> None:
    planned = plan_of().machines[0].vmx
    vmx = Vmx.parse("")
    vmx.update(planned.items())
    vmx.write(tmp_path / "a.vmx")
    assert dict(Vmx.read(tmp_path / "a.vmx").items()) == dict(planned)


def test_the_keys_of_a_machine_override_those_of_all_machines() -> None:
    seed = "    seed: seed-worker1.iso\n"
    more = f"{seed}    memory_mib: 8192\n    cpus: 4\n    mac: 00:50:56:0A:0B:0C\n"
    plan = plan_of((seed, more))
    vmx = plan.machine("k3s-worker1").vmx
    assert (vmx["memsize"], vmx["numvcpus"]) == ("8192", "4")
    assert (vmx["ethernet0.addressType"], vmx["ethernet0.address"]) == ("static", "00:50:56:0A:0B:0C")
    assert "ethernet0.address" not in plan.machine("k3s-worker2").vmx
    assert plan.memory_mib == 8192 + 2 * 4096


def test_another_network_is_a_custom_one() -> None:
    vmx = plan_of(("vmnet: VMnet1", "vmnet: VMnet5")).machines[0].vmx
    assert (vmx["ethernet0.connectionType"], vmx["ethernet0.vnet"]) == ("custom", "VMnet5")


def test_the_keys_of_the_cd_are_those_of_its_device() -> None:
    vmx = plan_of().machines[0].vmx
    assert (CD, CD_CONNECTED) == ("sata0:1", "sata0:1.startConnected")
    assert vmx[f"{CD}.present"] == vmx[CD_CONNECTED] == "TRUE"


def test_seeds_of_ubuntus_iso_are_two_cds_the_installer_first() -> None:
    machine = plan_of(OF_UBUNTU).machine("k3s-worker1")
    assert machine.installer is not None
    for drive, iso in (("sata0:1", machine.installer), ("sata0:2", machine.seed)):
        assert machine.vmx[f"{drive}.fileName"] == str(iso)
        assert machine.vmx[f"{drive}.deviceType"] == "cdrom-image"
        assert machine.vmx[f"{drive}.present"] == machine.vmx[f"{drive}.startConnected"] == "TRUE"
    assert machine.installer.parent == machine.seed.parent
    one = plan_of().machine("k3s-worker1")
    assert one.installer is None
    assert not any(key.startswith("sata0:2") for key in one.vmx)
