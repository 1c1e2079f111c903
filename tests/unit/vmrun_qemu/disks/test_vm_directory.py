"""The directory of a VM: names, disks, backing chains, locks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.disks.vm_directory import VmDirectory, open_powered_off, read_vmx, snapshots_locked
from harness.vmrun_qemu.vmfiles import lock_files
from harness.vmrun_qemu.vmfiles.vmsd import Snapshot, Tree
from harness.vmware.vmx import Vmx

VMX = """\
sata0.present = "TRUE"
sata0:0.present = "TRUE"
sata0:0.fileName = "m-000001.vmdk"
sata0:1.present = "TRUE"
sata0:1.deviceType = "cdrom-image"
sata0:1.fileName = "seed.iso"
"""


@pytest.fixture
def directory(tmp_path: Path) -> VmDirectory:
    """A VM with one snapshot and an overlay on its disk."""
    folder = tmp_path / "vm"
    folder.mkdir()
    (folder / "m.vmx").write_text(VMX, encoding="utf-8")
    (folder / "m.vmdk").write_text("# Disk DescriptorFile\nCID=1\n", encoding="utf-8")
    overlay = '# Disk DescriptorFile\nCID=2\nparentCID=1\nparentFileNameHint="m.vmdk"\n'
    (folder / "m-000001.vmdk").write_text(overlay, encoding="utf-8")
    found = VmDirectory(folder / "m.vmx", Vmx.parse(VMX))
    snapshot = Snapshot(1, 0, "base", "m-Snapshot1.vmsn", memory=False, created_us=0, disks=(("sata0:0", "m.vmdk"),))
    found.save(Tree().with_new(snapshot))
    return found


def test_a_file_is_named_relative_to_the_vmx(directory: VmDirectory, tmp_path: Path) -> None:
    assert directory.name_of(directory.path / "m.vmdk") == "m.vmdk"
    assert directory.name_of(tmp_path / "other.vmdk") == str(tmp_path / "other.vmdk")
    assert directory.resolve("m.vmdk") == directory.path / "m.vmdk"


def test_disks_are_those_that_snapshots_include(directory: VmDirectory) -> None:
    assert directory.disks() == {"sata0:0": directory.path / "m-000001.vmdk"}
    assert not directory.has_independent_disks()
    directory.vmx.set("sata0:0.mode", "independent-persistent")
    assert directory.disks() == {}
    assert directory.has_independent_disks()


def test_a_disk_that_is_no_vmdk_has_no_snapshots(directory: VmDirectory) -> None:
    directory.vmx.set("sata0:0.fileName", "m.qcow2")
    with pytest.raises(Failure, match="not supported"):
        directory.disks()


def test_parents_follow_each_chain_to_its_root(directory: VmDirectory) -> None:
    assert directory.snapshot_disks() == [directory.path / "m.vmdk"]
    assert directory.parents([]) == {directory.path / "m-000001.vmdk": directory.path / "m.vmdk"}


def test_a_replaced_disk_is_replaced_in_vmx_and_snapshots_on_disk(directory: VmDirectory) -> None:
    directory.replace_disk(directory.path / "m.vmdk", directory.path / "n.vmdk")
    directory.replace_disk(directory.path / "m-000001.vmdk", directory.path / "n-000001.vmdk")
    saved = VmDirectory(directory.vmx_path, Vmx.read(directory.vmx_path))
    assert saved.disks() == {"sata0:0": directory.path / "n-000001.vmdk"}
    assert saved.snapshot_disks() == [directory.path / "n.vmdk"]


def test_a_deleted_clone_does_not_count(directory: VmDirectory, tmp_path: Path) -> None:
    (tmp_path / "clone.vmx").touch()
    clones = (str(tmp_path / "clone.vmx"), str(tmp_path / "gone.vmx"))
    (snapshot,) = directory.tree.snapshots
    assert directory.existing_clones(replace(snapshot, clones=clones)) == [clones[0]]


def test_a_broken_vmsd_and_a_broken_vmx_are_failures(directory: VmDirectory) -> None:
    directory.vmx_path.with_suffix(".vmsd").write_text("torn", encoding="utf-8")
    with pytest.raises(Failure, match="inconsistent state"):
        VmDirectory(directory.vmx_path, Vmx.parse(VMX))
    directory.vmx_path.write_text("torn", encoding="utf-8")
    with pytest.raises(Failure, match=r"Cannot open VM: given\.vmx"):
        read_vmx(directory.vmx_path, "given.vmx")


def test_an_encrypted_vm_wants_a_password(directory: VmDirectory) -> None:
    directory.vmx_path.write_text(VMX + 'encryption.data = "AAAA"\n', encoding="utf-8")
    with pytest.raises(Failure, match="A password is required for this operation"):
        read_vmx(directory.vmx_path, "given.vmx")


def test_a_powered_off_vm_is_locked_while_it_is_open(directory: VmDirectory) -> None:
    vmx, vmsd = directory.vmx_path, directory.vmx_path.with_suffix(".vmsd")
    with open_powered_off(str(vmx)) as opened:
        assert opened.tree.named("base").uid == 1
        assert (lock_files.is_held(vmx), lock_files.is_held(vmsd)) == (True, True)
    assert (lock_files.is_held(vmx), lock_files.is_held(vmsd)) == (False, False)
    with snapshots_locked(vmx):
        assert (lock_files.is_held(vmx), lock_files.is_held(vmsd)) == (False, True)


def test_a_vm_that_another_program_has_open_is_in_use(directory: VmDirectory) -> None:
    lock = directory.vmx_path.with_name("m.vmx.lck")
    lock.mkdir()
    (lock / "M12345.lck").write_text("winhost 1234-13245678(vmware.exe)", encoding="utf-8")
    with pytest.raises(Failure, match="already in use"), open_powered_off(str(directory.vmx_path)):
        pass
