"""Backing chains: overlays, their parents, and commits. Real `qemu-img` judges the results."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.vmrun_qemu.disks import chains, images
from harness.vmrun_qemu.disks.qemu_img import DiskError
from harness.vmware import vmdk_descriptor

needs_qemu_img = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")


@pytest.mark.parametrize("data", [b"", b"hello", b"KDMV", b"KDMV" + bytes(600)])
def test_a_file_that_is_no_disk_gets_no_overlay(tmp_path: Path, data: bytes) -> None:
    disk = tmp_path / "d.vmdk"
    disk.write_bytes(data)
    with pytest.raises(DiskError):
        chains.make_overlay(disk, tmp_path / "o.vmdk")


def io(disk: Path, *commands: str) -> bool:
    words = [word for command in commands for word in ("-c", command)]
    argv = ["qemu-io", "-f", "vmdk", *words, str(disk)]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=30)
    return done.returncode == 0 and "failed" not in done.stdout + done.stderr


@needs_qemu_img
@pytest.mark.parametrize("kind", ["monolithicSparse", "twoGbMaxExtentSparse", "monolithicFlat", "twoGbMaxExtentFlat"])
def test_an_overlay_holds_changes_and_gives_them_to_its_parent(tmp_path: Path, kind: str) -> None:
    base, top, over = tmp_path / "d.vmdk", tmp_path / "d-000001.vmdk", tmp_path / "d-000002.vmdk"
    images.create(base, 4 << 20, kind, "lsilogic", "")
    assert io(base, "write -P 1 0 128k")
    chains.make_overlay(base, top)
    assert vmdk_descriptor.read(top).get("ddb.adapterType") == "lsilogic"
    assert io(top, "write -P 2 64k 64k")
    chains.make_overlay(top, over)
    assert io(over, "read -P 1 0 64k", "read -P 2 64k 64k")
    chains.commit(top)
    assert not io(over, "read -P 1 0 64k"), "the overlay refuses a changed backing chain"
    vmdk_descriptor.copy_content_id(top, base)
    vmdk_descriptor.set_parent(over, base)
    images.remove(top)
    assert io(over, "read -P 1 0 64k", "read -P 2 64k 64k")
    assert vmdk_descriptor.parent_of(over) == base
    assert subprocess.run(["qemu-img", "check", "-q", str(over)], check=False, timeout=30).returncode == 0


@needs_qemu_img
def test_a_descriptor_inside_a_disk_has_only_so_much_room(tmp_path: Path) -> None:
    disk = tmp_path / "d.vmdk"
    images.create(disk, 4 << 20, "monolithicSparse", "lsilogic", "")
    before = disk.read_bytes()
    with pytest.raises(vmdk_descriptor.VmdkError, match="bytes for its descriptor"):
        vmdk_descriptor.write(
            disk, vmdk_descriptor.read(disk).with_setting("parentFileNameHint", "x" * 20000, quoted=True)
        )
    assert disk.read_bytes() == before


def test_the_chain_of_a_disk_that_cannot_be_read_is_not_taken_for_whole(tmp_path: Path) -> None:
    disk = tmp_path / "d.vmdk"
    disk.write_bytes(bytes(600))
    with pytest.raises(DiskError, match=r"Failed: .*not a virtual disk.*d\.vmdk"):
        chains.check_chain(disk, "Failed: ")
