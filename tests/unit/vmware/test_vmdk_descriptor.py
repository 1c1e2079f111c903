"""VMDK descriptors, in a file of their own and inside a disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_disk import single_disk, split_disk

from harness.vmware import vmdk_descriptor

TEXT = '# Disk DescriptorFile\nversion=1\nCID=0000000a\nparentCID=ffffffff\ncreateType="x"\n\nddb.adapterType = "ide"\n'


def test_settings_are_read_and_changed_in_place(tmp_path: Path) -> None:
    disk = tmp_path / "d.vmdk"
    disk.write_text(TEXT, encoding="utf-8")
    found = vmdk_descriptor.read(disk)
    assert [found.get(key) for key in ("CID", "cid", "createType", "ddb.adapterType", "none")] == [
        "0000000a", "0000000a", "x", "ide", "",
    ]  # fmt: skip
    changed = found.with_setting("CID", "b", quoted=False).with_setting("parentFileNameHint", "p 1.vmdk", quoted=True)
    vmdk_descriptor.write(disk, changed)
    wanted = TEXT.replace("CID=0000000a", "CID=b").replace('"x"\n', '"x"\nparentFileNameHint="p 1.vmdk"\n')
    assert disk.read_text(encoding="utf-8") == wanted
    assert vmdk_descriptor.parent_of(disk) == tmp_path / "p 1.vmdk"
    assert [file.name for file in tmp_path.iterdir()] == ["d.vmdk"]


@pytest.mark.parametrize("data", [b"", b"hello", b"KDMV", b"KDMV" + bytes(600)])
def test_what_is_no_disk_has_no_descriptor_and_no_known_parent(tmp_path: Path, data: bytes) -> None:
    disk = tmp_path / "d.vmdk"
    disk.write_bytes(data)
    with pytest.raises(vmdk_descriptor.VmdkError):
        vmdk_descriptor.read(disk)
    with pytest.raises(vmdk_descriptor.VmdkError):
        vmdk_descriptor.parent_of(disk)
    assert vmdk_descriptor.parent_of(tmp_path / "none.vmdk") is None


def test_extents_are_listed_wherever_the_descriptor_lies(tmp_path: Path) -> None:
    split = vmdk_descriptor.read(split_disk(tmp_path))
    assert [(extent.sectors, extent.kind, extent.name) for extent in split.extents] == [
        (2 << 21, "SPARSE", "my disk-s001.vmdk"), (1 << 21, "SPARSE", "my disk-s002.vmdk"),
    ]  # fmt: skip
    single = vmdk_descriptor.read(single_disk(tmp_path))
    assert (split.is_embedded, single.is_embedded) == (False, True)
    assert [extent.name for extent in single.extents] == ["single.vmdk"]


def test_zeros_and_devices_of_the_host_are_extents_too() -> None:
    rows = 'RW 7 ZERO\r\nRW 63 FLAT "\\\\.\\PhysicalDrive0" partitionUUID x 0\r\nRW 8 FLAT "a-f 2.vmdk" 0\r\n'
    extents = vmdk_descriptor.Descriptor(rows).extents
    assert [extent.name for extent in extents] == [None, "\\\\.\\PhysicalDrive0", "a-f 2.vmdk"]


@pytest.mark.parametrize("charset", ["utf-8", "windows-1252", "cp949"])
def test_names_in_any_charset_are_read_and_survive_an_edit(tmp_path: Path, charset: str) -> None:
    name = "디스크.vmdk" if charset == "cp949" else "Größe.vmdk"
    disk = tmp_path / "d.vmdk"
    disk.write_bytes(f'{TEXT}encoding="{charset}"\nRW 8 FLAT "{name}" 0\n'.encode(charset))
    found = vmdk_descriptor.read(disk)
    assert [extent.name for extent in found.extents] == [name]
    vmdk_descriptor.write(disk, found.with_setting("CID", "b", quoted=False))
    assert name.encode(charset) in disk.read_bytes()


def test_bytes_of_no_charset_survive_an_edit(tmp_path: Path) -> None:
    disk = tmp_path / "d.vmdk"
    disk.write_bytes(TEXT.encode() + b'encoding="none"\n# \xff\x81\n')
    vmdk_descriptor.write(disk, vmdk_descriptor.read(disk).with_setting("CID", "b", quoted=False))
    assert disk.read_bytes().endswith(b"# \xff\x81\n")


def test_an_edit_inside_a_disk_leaves_its_data_where_it_is(tmp_path: Path) -> None:
    disk = single_disk(tmp_path)
    before = disk.read_bytes()
    vmdk_descriptor.write(disk, vmdk_descriptor.read(disk).with_setting("CID", "0000000b", quoted=False))
    assert vmdk_descriptor.read(disk).get("CID") == "0000000b"
    assert disk.read_bytes() == before.replace(b"CID=fffffffe", b"CID=0000000b", 1)


def test_a_parent_is_known_by_name_and_by_content(tmp_path: Path) -> None:
    base, twin, over = (tmp_path / name for name in ("base.vmdk", "twin.vmdk", "over.vmdk"))
    for number, disk in enumerate((base, twin, over), start=1):
        disk.write_text(TEXT.replace("0000000a", f"0000000{number}"), encoding="utf-8")
    vmdk_descriptor.set_parent(over, base)
    assert (vmdk_descriptor.parent_of(over), vmdk_descriptor.read(over).get("parentCID")) == (base, "00000001")
    assert vmdk_descriptor.overlays_of(base) == [over]
    vmdk_descriptor.write(over, vmdk_descriptor.read(over).with_setting("parentFileNameHint", f"{base}", quoted=True))
    assert vmdk_descriptor.overlays_of(tmp_path / "." / "base.vmdk") == [over], "by an absolute path"
    vmdk_descriptor.copy_content_id(base, twin)
    vmdk_descriptor.set_parent(over, twin)
    assert (vmdk_descriptor.parent_of(over), vmdk_descriptor.read(over).get("parentCID")) == (twin, "00000001")


@pytest.mark.parametrize("damaged", [b"", b"KDMV", bytes(600), b'# Disk DescriptorFile\nparentFileNameHint="a\0b"\n'])
def test_whether_a_damaged_disk_is_an_overlay_is_not_known(tmp_path: Path, damaged: bytes) -> None:
    base, other = tmp_path / "base.vmdk", tmp_path / "other.VMDK"
    base.write_text(TEXT + 'RW 1 SPARSE "base-s001.vmdk"\n', encoding="utf-8")
    (tmp_path / "base-s001.vmdk").write_bytes(b"KDMV" + bytes(600))
    assert vmdk_descriptor.overlays_of(base) == []
    other.write_bytes(damaged)
    with pytest.raises(
        vmdk_descriptor.VmdkError, match=r"other\.VMDK cannot be read: whether it is an overlay of base"
    ):
        vmdk_descriptor.overlays_of(base)
