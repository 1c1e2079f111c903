"""VMDK descriptors, in a file of their own and inside a disk. Real `qemu-img` where it judges the result."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.vmrun_qemu.disks import chains, images
from harness.vmrun_qemu.disks.qemu_img import DiskError
from harness.vmrun_qemu.vmfiles import vmdk
from harness.vmrun_qemu.vmfiles.owned_files import free_overlay

needs_qemu_img = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")
TEXT = '# Disk DescriptorFile\nversion=1\nCID=0000000a\nparentCID=ffffffff\ncreateType="x"\n\nddb.adapterType = "ide"\n'


def test_settings_are_read_and_changed_in_place(tmp_path: Path) -> None:
    disk = tmp_path / "d.vmdk"
    disk.write_text(TEXT, encoding="utf-8")
    found = vmdk.read(disk)
    assert [found.get(key) for key in ("CID", "cid", "createType", "ddb.adapterType", "none")] == [
        "0000000a", "0000000a", "x", "ide", "",
    ]  # fmt: skip
    changed = found.having("CID", "b", quoted=False).having("parentFileNameHint", "p 1.vmdk", quoted=True)
    vmdk.write(disk, changed)
    wanted = TEXT.replace("CID=0000000a", "CID=b").replace('"x"\n', '"x"\nparentFileNameHint="p 1.vmdk"\n')
    assert disk.read_text(encoding="utf-8") == wanted
    assert vmdk.parent_of(disk) == tmp_path / "p 1.vmdk"
    assert [file.name for file in tmp_path.iterdir()] == ["d.vmdk"]


@pytest.mark.parametrize("data", [b"", b"hello", b"KDMV", b"KDMV" + bytes(600)])
def test_what_is_no_disk_has_no_descriptor_and_no_parent(tmp_path: Path, data: bytes) -> None:
    disk = tmp_path / "d.vmdk"
    disk.write_bytes(data)
    with pytest.raises(vmdk.VmdkError):
        vmdk.read(disk)
    assert vmdk.parent_of(disk) is None
    assert vmdk.parent_of(tmp_path / "none.vmdk") is None
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
    assert vmdk.read(top).get("ddb.adapterType") == "lsilogic"
    assert io(top, "write -P 2 64k 64k")
    chains.make_overlay(top, over)
    assert io(over, "read -P 1 0 64k", "read -P 2 64k 64k")
    chains.commit(top)
    assert not io(over, "read -P 1 0 64k"), "the parent's parent has changed and nobody was told"
    vmdk.take_over(base, top)
    vmdk.link(over, base)
    images.remove(top)
    assert io(over, "read -P 1 0 64k", "read -P 2 64k 64k")
    assert vmdk.parent_of(over) == base
    assert subprocess.run(["qemu-img", "check", "-q", str(over)], check=False, timeout=30).returncode == 0


@needs_qemu_img
def test_a_descriptor_inside_a_disk_has_only_so_much_room(tmp_path: Path) -> None:
    disk = tmp_path / "d.vmdk"
    images.create(disk, 4 << 20, "monolithicSparse", "lsilogic", "")
    before = disk.read_bytes()
    with pytest.raises(vmdk.VmdkError, match="descriptor has"):
        vmdk.write(disk, vmdk.read(disk).having("parentFileNameHint", "x" * 20000, quoted=True))
    assert disk.read_bytes() == before


def test_the_first_free_name_is_that_of_the_next_overlay(tmp_path: Path) -> None:
    for name in ("d.vmdk", "d-000001.vmdk", "d-000003.vmdk", "e-1.vmdk"):
        (tmp_path / name).touch()
    assert free_overlay(tmp_path / "d.vmdk", tmp_path).name == "d-000002.vmdk"
    assert free_overlay(tmp_path / "d-000003.vmdk", tmp_path).name == "d-000002.vmdk"
    assert free_overlay(Path("/else/where/e-1.vmdk"), tmp_path).name == "e-1-000001.vmdk"
