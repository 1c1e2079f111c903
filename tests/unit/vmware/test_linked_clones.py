from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import HostError
from harness.vmware.linked_clones import Clone, clones_of, sibling_vmx_files, vms_using_disks_in

DESCRIPTOR = "# Disk DescriptorFile\n"


def test_clones_are_read_from_the_vmsd_and_only_existing_ones_count(tmp_path: Path) -> None:
    vmx = tmp_path / "m1.vmx"
    assert clones_of(vmx) == ()
    (tmp_path / "m1.vmsd").write_text(
        'snapshot0.displayName = "base"\nsnapshot0.clone0 = "c.vmx"\nsnapshot0.clone1 = "gone.vmx"\n'
        'snapshot0.numClones = "2"\nSnapshot1.Clone0 = "d.vmx"\n'
    )
    for name in ("c.vmx", "d.vmx"):
        (tmp_path / name).touch()
    assert clones_of(vmx) == (Clone("base", tmp_path / "c.vmx"), Clone("", tmp_path / "d.vmx"))


def test_a_clone_in_any_directory_uses_the_disks_of_its_parent(tmp_path: Path) -> None:
    directory, clone = tmp_path / "m1", tmp_path / "far" / "away" / "clone.vmx"
    directory.mkdir()
    (directory / "m1.vmsd").write_text(f'snapshot0.clone0 = "{clone}"\nsnapshot0.numClones = "1"\n')
    assert vms_using_disks_in(directory, ()) == ()
    clone.parent.mkdir(parents=True)
    clone.touch()
    assert vms_using_disks_in(directory, ()) == (clone,)
    (directory / "m1.vmsd").write_text("torn")
    with pytest.raises(HostError, match="linked clone"):
        vms_using_disks_in(directory, ())


def test_a_vm_uses_each_disk_of_its_backing_chain(tmp_path: Path) -> None:
    for name in ("m1", "m2", "m3"):
        (tmp_path / name).mkdir()
    (tmp_path / "m1" / "m1.vmdk").write_text(DESCRIPTOR + 'parentFileNameHint="gone.vmdk"\n')
    (tmp_path / "m2" / "m2.vmx").write_text('scsi0:0.fileName = "m2-000001.vmdk"\n')
    (tmp_path / "m2" / "m2-000001.vmdk").write_text(DESCRIPTOR + 'parentFileNameHint="m2.vmdk"\n')
    (tmp_path / "m2" / "m2.vmdk").write_text(DESCRIPTOR + 'parentFileNameHint="../m1/m1.vmdk"\n')
    (tmp_path / "m3" / "m3.vmx").write_text('scsi0:0.fileName = "m3.vmdk"\nsata0:1.fileName = "../m1/m1.iso"\n')
    (tmp_path / "m1" / "m1.vmx").write_text('scsi0:0.fileName = "m1.vmdk"\n')
    others = sibling_vmx_files(tmp_path / "m1")
    assert [path.name for path in others] == ["m1.vmx", "m2.vmx", "m3.vmx"]
    assert vms_using_disks_in(tmp_path / "m1", (*others, tmp_path / "missing.vmx")) == (tmp_path / "m2" / "m2.vmx",)
