from __future__ import annotations

from pathlib import Path

import pytest
from fake_disk import descriptor, header, single_disk, split_disk

from harness.vmware.vmdk import DiskError, inspect_disk


def test_a_split_disk_says_size_type_and_pieces(tmp_path: Path) -> None:
    info = inspect_disk(split_disk(tmp_path))
    assert info.capacity_bytes == 3 << 30
    assert info.capacity_gib == 3
    assert info.create_type == "twoGbMaxExtentSparse"
    assert info.adapter == "lsilogic"
    assert [extent.sectors for extent in info.extents] == [2 << 21, 1 << 21]
    assert info.extents[0].file == tmp_path / "my disk-s001.vmdk"
    assert 16384 <= info.allocated_bytes < 1 << 20


def test_a_disk_of_one_file_says_the_same(tmp_path: Path) -> None:
    info = inspect_disk(single_disk(tmp_path))
    assert info.capacity_gib == 40
    assert info.create_type == "monolithicSparse"
    assert 0 < info.allocated_bytes < 1 << 20


def test_a_flat_disk_and_a_piece_of_zeros(tmp_path: Path) -> None:
    (tmp_path / "a-flat.vmdk").write_bytes(b"\0" * 512)
    path = tmp_path / "a.vmdk"
    path.write_bytes(descriptor("monolithicFlat", 'RW 1 FLAT "a-flat.vmdk" 0', "RW 7 ZERO").encode())
    info = inspect_disk(path)
    assert info.capacity_bytes == 8 * 512
    assert info.extents[1].file is None


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_bytes(b""), "does not begin with a VMDK descriptor"),
        (lambda path: path.write_bytes(b"\x00\xff" * 600), "does not begin with a VMDK descriptor"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"createType", b"x")), "no createType"),
        (lambda path: (path.parent / "my disk-s002.vmdk").unlink(), "No such file"),
        (lambda path: (path.parent / "my disk-s002.vmdk").write_bytes(b"KD"), "not a sparse extent"),
        (lambda path: (path.parent / "my disk-s002.vmdk").write_bytes(header(5)), "5 sectors, the descriptor says"),
    ],
)
def test_a_damaged_split_disk_is_named(tmp_path: Path, damage: object, message: str) -> None:
    path = split_disk(tmp_path)
    assert callable(damage)
    damage(path)
    with pytest.raises(DiskError, match=message):
        inspect_disk(path)


def test_a_piece_is_no_disk_and_a_cut_one_neither(tmp_path: Path) -> None:
    path = split_disk(tmp_path)
    with pytest.raises(DiskError, match="piece of a disk"):
        inspect_disk(path.with_name("my disk-s001.vmdk"))
    single = single_disk(tmp_path)
    single.write_bytes(single.read_bytes()[:20])
    with pytest.raises(DiskError, match="ends inside its header"):
        inspect_disk(single)
