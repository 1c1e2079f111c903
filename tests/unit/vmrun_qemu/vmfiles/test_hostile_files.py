"""Damaged and hostile files of a VM: a value, or the error of a command that cannot use them, at once."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest
from fake_disk import descriptor
from hypothesis import HealthCheck, given, settings
from mutations import damaged

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.disks.chains import check_chain
from harness.vmrun_qemu.disks.qemu_img import DiskError
from harness.vmrun_qemu.vmfiles import devices, lock_files, requirements, vmsd, vmss
from harness.vmware.vmx import Vmx, VmxError

pytestmark = pytest.mark.timeout(60)
FUZZ = settings(max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
VMX = (
    b'config.version = "8"\nguestOS = "other"\nvirtualHW.version = "21"\nmemsize = "1024"\nnumvcpus = "2"\n'
    b'sata0.present = "TRUE"\nsata0:0.present = "TRUE"\nsata0:0.fileName = "m.vmdk"\nscsi0.present = "TRUE"\n'
    b'scsi0.virtualDev = "pvscsi"\npciBridge4.present = "TRUE"\npciBridge4.virtualDev = "pcieRootPort"\n'
    b'pciBridge4.functions = "8"\nethernet0.present = "TRUE"\nethernet0.connectionType = "hostonly"\n'
    b'ethernet0.generatedAddress = "00:0c:29:00:00:01"\nserial0.present = "TRUE"\nserial0.fileType = "file"\n'
    b'serial0.fileName = "serial.log"\nbios.bootOrder = "hdd,cdrom"\n'
)
VMSD = (
    b'snapshot.lastUID = "2"\nsnapshot.current = "2"\nsnapshot.numSnapshots = "2"\nsnapshot0.uid = "1"\n'
    b'snapshot0.filename = "m-Snapshot1.vmsn"\nsnapshot0.displayName = "base"\nsnapshot0.createTimeHigh = "1"\n'
    b'snapshot0.createTimeLow = "-2"\nsnapshot0.numDisks = "1"\nsnapshot0.disk0.fileName = "m.vmdk"\n'
    b'snapshot0.disk0.node = "sata0:0"\nsnapshot0.numClones = "1"\nsnapshot0.clone0 = "/x/clone.vmx"\n'
    b'snapshot1.uid = "2"\nsnapshot1.parent = "1"\nsnapshot1.displayName = "next"\n'
)
_HEAD = io.BytesIO()
vmss.write_head(_HEAD, vmss.State(VMX.decode(), "UTF-8", memory=True, plugged={"sata0:1": True}))


def parsed(data: bytes) -> Vmx | None:
    try:
        return Vmx.parse(data.decode("utf-8", "replace"))
    except VmxError:
        return None


@FUZZ
@given(damaged([VMX]))
def test_any_vmx_has_devices_or_is_refused_at_power_on(tmp_path: Path, data: bytes) -> None:
    vmx = parsed(data)
    if vmx is None:
        return
    for look in (requirements.check_power_on, devices.nics, devices.boot_classes):
        with contextlib.suppress(Failure):
            look(vmx)
    for look_in in (devices.drives, devices.serials):
        with contextlib.suppress(Failure):
            look_in(vmx, tmp_path)


@FUZZ
@given(damaged([VMSD]))
def test_any_vmsd_is_a_tree_that_can_be_changed_and_stored(data: bytes) -> None:
    vmx = parsed(data)
    if vmx is None:
        return
    tree = vmsd.tree_of(vmx)
    tree.outline()
    for name in ("base", "next", "base/next"):
        with contextlib.suppress(Failure):
            tree.named(name)
    tree.below(1)
    vmsd.store(tree.without({1}), vmx)
    assert vmsd.tree_of(vmx) == tree.without({1})


@FUZZ
@given(damaged([_HEAD.getvalue(), b"vmrun-qemu state 1\n" + b'{"vmx": "", "charset": "x", "memory": false}\n']))
def test_any_state_file_is_a_configuration_or_a_state_error(data: bytes) -> None:
    with contextlib.suppress(vmss.StateError):
        state = vmss.read_head(io.BytesIO(data), "m.vmss")
        with contextlib.suppress(VmxError):
            state.devices(state.configuration())


@pytest.mark.parametrize(
    "head",
    [
        {"vmx": 1, "charset": "UTF-8", "memory": True},
        {"vmx": "", "charset": None, "memory": True},
        {"vmx": "", "charset": "UTF-8", "memory": True, "plugged": [1]},
        {"vmx": "", "charset": "UTF-8", "memory": True, "variables": {"a": 1}},
        [1],
    ],
)
def test_a_state_whose_values_are_of_another_kind_is_damaged(head: object) -> None:
    data = b"vmrun-qemu state 1\n" + json.dumps(head).encode() + b"\n"
    with pytest.raises(vmss.StateError, match="is damaged"):
        vmss.read_head(io.BytesIO(data), "m.vmss")


def test_a_state_of_deep_brackets_is_damaged() -> None:
    with pytest.raises(vmss.StateError, match="is damaged"):
        vmss.read_head(io.BytesIO(b"vmrun-qemu state 1\n" + b"[" * 200_000), "m.vmss")


def test_a_number_of_disks_without_bounds_is_no_reason_to_fill_the_memory() -> None:
    lines = ['snapshot0.uid = "1"', 'snapshot0.numDisks = "99999999999"', 'snapshot0.numClones = "99999999999"']
    (snapshot,) = vmsd.tree_of(Vmx.parse("\n".join(lines))).snapshots
    assert (len(snapshot.disks) < 10, snapshot.clones) == (True, ())


def test_snapshots_with_one_number_are_listed_once_each() -> None:
    lines = [
        f'snapshot{2 * level + twin}.{key} = "{value}"'
        for level in range(40)
        for twin in (0, 1)
        for key, value in (("uid", level + 1), ("parent", level), ("displayName", f"{level}-{twin}"))
    ]
    outline = vmsd.tree_of(Vmx.parse("\n".join(lines))).outline()
    assert sorted(name for _, name in outline) == sorted(f"{level}-{twin}" for level in range(40) for twin in (0, 1))


def test_a_long_chain_of_snapshots_is_listed_and_searched() -> None:
    number = 3000
    lines = [
        f'snapshot{n}.{key} = "{value}"'
        for n in range(number)
        for key, value in (("uid", n + 1), ("parent", n), ("displayName", n))
    ]
    tree = vmsd.tree_of(Vmx.parse("\n".join(lines)))
    assert tree.outline()[-1] == (number - 1, str(number - 1))
    assert tree.named(f"{number - 2}/{number - 1}").uid == number
    assert len(tree.below(1)) == number


@pytest.mark.parametrize("key", ["serial{}.present", "ethernet{}.present", "sata0:{}.present", "snapshot{}.uid"])
def test_a_device_with_a_number_without_bounds_is_none(tmp_path: Path, key: str) -> None:
    vmx = Vmx.parse(f'{key.format("9" * 5000)} = "TRUE"\n')
    assert [*devices.serials(vmx, tmp_path), *devices.nics(vmx), *devices.drives(vmx, tmp_path)] == []
    assert vmsd.tree_of(vmx).snapshots == ()


def test_disks_that_are_each_others_parent_are_no_chain(tmp_path: Path) -> None:
    for name, parent in (("a", "b"), ("b", "a")):
        text = descriptor("monolithicSparse", f'RW 8 SPARSE "{name}.vmdk"').replace(
            "parentCID=ffffffff", "parentCID=fffffffe"
        )
        text += f'parentFileNameHint="{parent}.vmdk"\r\n'
        (tmp_path / f"{name}.vmdk").write_text(text, encoding="utf-8")
    with pytest.raises(DiskError, match="Failed"):
        check_chain(tmp_path / "a.vmdk", "Failed: ")


@pytest.mark.parametrize("pid", ["9" * 5000, "99999999999", "4294967295"])
def test_a_lock_of_a_process_that_no_system_can_have_is_stale(tmp_path: Path, pid: str) -> None:
    folder = tmp_path / "m.vmx.lck"
    folder.mkdir()
    (folder / "M00001.lck").write_text(f"vmrun-qemu {pid}-1.0(vmrun-qemu)\n", encoding="utf-8")
    assert lock_files.stale_locks(folder) in (None, [folder / "M00001.lck"])
