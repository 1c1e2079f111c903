"""VMDK images: properties, checks before a change, deletion.

More is in `test_vdiskmanager`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from disk_lab import needs_qemu_img

from harness.system import process_identity
from harness.vmrun_qemu.disks import images
from harness.vmrun_qemu.disks.qemu_img import EXISTS, LOCKED, NOT_A_DISK, NOT_FOUND, DiskError
from harness.vmrun_qemu.vmfiles import lock_files


def test_a_file_without_a_descriptor_has_default_properties(tmp_path: Path) -> None:
    disk = tmp_path / "d.vmdk"
    disk.write_text("hello", encoding="utf-8")
    assert (images.create_type(disk), images.adapter(disk)) == ("monolithicSparse", "lsilogic")


@pytest.mark.parametrize(("named", "adapter"), [("ide", "ide"), ("legacyESX", "legacyESX"), ("pvscsi", "lsilogic")])
def test_an_adapter_that_qemu_img_does_not_know_is_lsilogic(tmp_path: Path, named: str, adapter: str) -> None:
    disk = tmp_path / "d.vmdk"
    disk.write_text(f'# Disk DescriptorFile\nddb.adapterType = "{named}"\n', encoding="utf-8")
    assert images.adapter(disk) == adapter


def test_a_place_is_free_without_file_and_extents_and_with_a_directory(tmp_path: Path) -> None:
    images.require_place(tmp_path / "d.vmdk", "")
    (tmp_path / "d-flat.vmdk").touch()
    for disk, message in ((tmp_path / "d.vmdk", EXISTS), (tmp_path / "none" / "d.vmdk", NOT_FOUND)):
        with pytest.raises(DiskError) as caught:
            images.require_place(disk, "Failed: ")
        assert str(caught.value) == f"Failed: {message}"


def test_a_disk_is_removed_with_its_extents_only(tmp_path: Path) -> None:
    for name in ("d-s001.vmdk", "d-s002.vmdk"):
        (tmp_path / name).touch()
    disk = tmp_path / "d.vmdk"
    disk.write_text('# Disk DescriptorFile\nRW 8 SPARSE "d-s001.vmdk"\n', encoding="utf-8")
    images.remove(disk)
    images.remove(disk)
    assert [file.name for file in tmp_path.iterdir()] == ["d-s002.vmdk"]


@needs_qemu_img
def test_a_disk_is_free_when_it_is_one_and_no_vm_has_it(tmp_path: Path) -> None:
    disk, text = tmp_path / "d.vmdk", tmp_path / "text.vmdk"
    images.create(disk, 2 << 20, "monolithicSparse", "ide", "")
    text.write_text("hello", encoding="utf-8")
    images.require_free(disk, "")
    images.check(disk, "")
    assert (images.virtual_size(disk, ""), images.adapter(disk)) == (2 << 20, "ide")
    lock_files.take([disk], process_identity.identity(os.getpid()))
    for file, message in ((disk, LOCKED), (text, NOT_A_DISK), (tmp_path / "none.vmdk", NOT_FOUND)):
        with pytest.raises(DiskError) as caught:
            images.require_free(file, "")
        assert str(caught.value) == message
