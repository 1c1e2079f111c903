from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab_file import LAB_FILE, changed

from harness.config import load_lab
from harness.config.loader import build
from harness.config.plan import LabPlan, make_plan, smbios_uuid
from harness.vmware.vmx import Vmx


def plan_of(*changes: tuple[str, str], overlay: str | None = None, ports: tuple[int, ...] = ()) -> LabPlan:
    spec = build(changed(*changes), LAB_FILE, overlay)
    return make_plan(spec, LAB_FILE, overlay=overlay, run_id="run", ports=ports)


def test_relative_paths_start_at_the_lab_file_and_every_path_is_absolute(tmp_path: Path) -> None:
    plan = plan_of(overlay="embedded")
    root = LAB_FILE.parents[1]
    assert plan.vm_directory == root / ".lab" / "vms"
    assert plan.ssh_key == root / ".lab" / "seeds" / "ssh" / "id_ed25519"
    for machine in plan.machines:
        assert machine.seed == root / ".lab" / "seeds" / f"seed-{machine.name.removeprefix('k3s-')}.iso"
        assert machine.files.vmx == plan.vm_directory / machine.name / f"{machine.name}.vmx"
        assert machine.files.vmx.is_absolute()


def test_machines_are_planned_in_the_order_of_the_file_and_found_by_name() -> None:
    plan = plan_of()
    assert [machine.name for machine in plan.machines] == ["k3s-master1", "k3s-worker1", "k3s-worker2"]
    assert plan.machine("k3s-worker1") is plan.machines[1]
    with pytest.raises(KeyError):
        plan.machine("k3s-worker9")


def test_ways_in() -> None:
    direct, forwarded = plan_of(), plan_of(overlay="embedded", ports=(2201, 2202, 2203))
    assert [(m.endpoint.host, m.endpoint.port, m.endpoint.forward) for m in direct.machines] == [
        ("192.168.6.10", 22, False),
        ("192.168.6.11", 22, False),
        ("192.168.6.12", 22, False),
    ]
    assert [(m.endpoint.host, m.endpoint.port) for m in forwarded.machines] == [
        ("127.0.0.1", 2201),
        ("127.0.0.1", 2202),
        ("127.0.0.1", 2203),
    ]
    assert [m.endpoint.port for m in plan_of(overlay="embedded").machines] == [0, 0, 0]


def test_a_nonce_is_of_one_machine_of_one_run_and_can_be_had_again() -> None:
    spec = load_lab(LAB_FILE)
    plans = [make_plan(spec, LAB_FILE, overlay=None, run_id=run) for run in ("one", "one", "two")]
    nonces = [[machine.nonce for machine in plan.machines] for plan in plans]
    assert nonces[0] == nonces[1]
    assert len({nonce for row in (nonces[0], nonces[2]) for nonce in row}) == 6
    assert all(len(nonce) == 32 and int(nonce, 16) >= 0 for nonce in nonces[0])


@settings(deadline=None)
@given(st.text("0123456789abcdef", min_size=32, max_size=32))
def test_the_uuid_of_a_nonce_is_the_nonce_in_vmwares_form(nonce: str) -> None:
    uuid = smbios_uuid(nonce)
    assert uuid.replace(" ", "").replace("-", "") == nonce
    assert len(uuid) == 47
    assert uuid[23] == "-"


# Key -> value of the reference lab: what a machine cannot be installed, found or left alone without.
VMX = {
    "displayName": "k3s-worker1",
    "guestOS": "ubuntu-64",
    "firmware": "bios",
    "memsize": "4096",
    "numvcpus": "2",
    "bios.bootOrder": "disk,cdrom",
    "sata0:0.fileName": "k3s-worker1.vmdk",
    "sata0:1.deviceType": "cdrom-image",
    "sata0:1.startConnected": "TRUE",
    "ethernet0.connectionType": "hostonly",
    "ethernet0.addressType": "generated",
    "serial0.fileName": "serial-1.log",
    "msg.autoAnswer": "TRUE",
    "uuid.action": "create",
    "tools.syncTime": "FALSE",
    "floppy0.present": "FALSE",
}


@pytest.mark.parametrize("key", VMX)
def test_vmx(key: str) -> None:
    assert plan_of().machine("k3s-worker1").vmx[key] == VMX[key]


def test_the_vmx_survives_a_file(tmp_path: Path) -> None:
    planned = plan_of().machines[0].vmx
    vmx = Vmx.parse("")
    vmx.update(planned.items())
    vmx.write(tmp_path / "a.vmx")
    assert dict(Vmx.read(tmp_path / "a.vmx").items()) == dict(planned)


def test_what_a_machine_says_of_itself_goes_before_the_hardware_of_all() -> None:
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
