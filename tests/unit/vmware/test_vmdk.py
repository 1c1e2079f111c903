from __future__ import annotations

import struct
from pathlib import Path

import pytest
from fake_run import FakeRun, not_started

from harness.core.errors import ProcessError
from harness.vmrun import vdiskmanager
from harness.vmrun.vdiskmanager import CREATE_TYPES, DiskDenied, DiskExists, DiskFull, create_disk
from harness.vmware.vmdk import DiskError, inspect_disk

TOOL = (r"C:\Program Files (x86)\VMware\VMware Workstation\vmware-vdiskmanager.exe",)
GIB_SECTORS = 1 << 21


def descriptor(kind: str, *extents: str) -> str:
    return "\r\n".join(
        [
            "# Disk DescriptorFile",
            "version=1",
            "CID=fffffffe",
            "parentCID=ffffffff",
            f'createType="{kind}"',
            "",
            "# Extent description",
            *extents,
            "",
            "# The Disk Data Base",
            'ddb.adapterType = "lsilogic"',
            'ddb.virtualHWVersion = "19"',
            "",
        ]
    )


def header(capacity: int, offset: int = 0, size: int = 0) -> bytes:
    return struct.pack("<4sIIQQQQ", b"KDMV", 1, 3, capacity, 128, offset, size).ljust(512, b"\0")


def split_disk(folder: Path, pieces: tuple[int, ...] = (GIB_SECTORS * 2, GIB_SECTORS)) -> Path:
    lines = []
    for number, sectors in enumerate(pieces, start=1):
        name = f"my disk-s{number:03}.vmdk"
        (folder / name).write_bytes(header(sectors) + b"\1" * 8192)
        lines.append(f'RW {sectors} SPARSE "{name}"')
    path = folder / "my disk.vmdk"
    path.write_bytes(descriptor("twoGbMaxExtentSparse", *lines).encode())
    return path


def single_disk(folder: Path, sectors: int = GIB_SECTORS * 40) -> Path:
    path = folder / "single.vmdk"
    text = descriptor("monolithicSparse", f'RW {sectors} SPARSE "single.vmdk"').encode()
    path.write_bytes(header(sectors, 1, 20) + text.ljust(20 * 512, b"\0") + b"\1" * 100)
    return path


def test_a_split_disk_says_size_type_and_pieces(tmp_path: Path) -> None:
    info = inspect_disk(split_disk(tmp_path))
    assert info.capacity_bytes == 3 << 30
    assert info.capacity_gib == 3
    assert info.create_type == CREATE_TYPES[1]
    assert info.adapter == "lsilogic"
    assert [extent.sectors for extent in info.extents] == [GIB_SECTORS * 2, GIB_SECTORS]
    assert info.extents[0].file == tmp_path / "my disk-s001.vmdk"
    assert 16384 <= info.allocated_bytes < 1 << 20


def test_a_disk_of_one_file_says_the_same(tmp_path: Path) -> None:
    info = inspect_disk(single_disk(tmp_path))
    assert info.capacity_gib == 40
    assert info.create_type == CREATE_TYPES[0]
    assert 0 < info.allocated_bytes < 1 << 20


def test_a_flat_disk_and_a_piece_of_zeros(tmp_path: Path) -> None:
    (tmp_path / "a-flat.vmdk").write_bytes(b"\0" * 512)
    path = tmp_path / "a.vmdk"
    path.write_text(descriptor("monolithicFlat", 'RW 1 FLAT "a-flat.vmdk" 0', "RW 7 ZERO"), encoding="utf-8")
    info = inspect_disk(path)
    assert info.capacity_bytes == 8 * 512
    assert info.extents[1].file is None


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_bytes(b""), "no createType"),
        (lambda path: path.write_bytes(b"\x00\xff" * 600), "no createType"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"createType", b"x")), "no createType"),
        (lambda path: (path.parent / "my disk-s002.vmdk").unlink(), "No such file"),
        (lambda path: (path.parent / "my disk-s002.vmdk").write_bytes(b"KD"), "not a sparse extent"),
        (lambda path: (path.parent / "my disk-s002.vmdk").write_bytes(header(5)), "5 sectors, the descriptor says"),
    ],
)
def test_a_damaged_split_disk_is_named(tmp_path: Path, damage: object, said: str) -> None:
    path = split_disk(tmp_path)
    assert callable(damage)
    damage(path)
    with pytest.raises(DiskError, match=said):
        inspect_disk(path)


def test_a_piece_is_no_disk_and_a_cut_one_neither(tmp_path: Path) -> None:
    path = split_disk(tmp_path)
    with pytest.raises(DiskError, match="piece of a disk"):
        inspect_disk(path.with_name("my disk-s001.vmdk"))
    single = single_disk(tmp_path)
    single.write_bytes(single.read_bytes()[:20])
    with pytest.raises(DiskError, match="ends inside its header"):
        inspect_disk(single)


def test_create_runs_exactly_this_command_and_reads_the_disk_back(tmp_path: Path) -> None:
    path = tmp_path / "my disk.vmdk"
    argv = (*TOOL, "-c", "-s", "40GB", "-a", "lsilogic", "-t", "1", str(path))
    said = f"Creating disk '{path}'\r\nVirtual disk creation successful.\r\n".encode()
    run = FakeRun().on(*argv, says=said, then=lambda: split_disk(tmp_path))
    info = create_disk(TOOL, path, 40, 1, env={"VMRUN_QEMU_HOME": "x"}, run=run)
    assert info.create_type == "twoGbMaxExtentSparse"
    assert run.envs == [{"VMRUN_QEMU_HOME": "x"}]


def test_a_success_without_a_disk_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.vmdk"
    run = FakeRun().on(
        *vdiskmanager.create_argv(("t",), path, 4, 1, "lsilogic"), says="Virtual disk creation successful.\n"
    )
    with pytest.raises(DiskError, match="No such file"):
        create_disk(("t",), path, 4, run=run)


@pytest.mark.parametrize("code", [0, 1, 4294967295])
@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Failed to create disk: The file already exists (0xc).", DiskExists),
        ("Failed to create disk: There is not enough space on the file system (0x8).", DiskFull),
        ("Failed to create disk: Insufficient permission to access the file (0x2400000009).", DiskDenied),
        ("Failed to create disk: One of the parameters supplied is invalid (0x3e80).", DiskError),
        ("Failed to create disk: something else", DiskError),
    ],
)
def test_failures_are_told_apart_whatever_the_exit_status(
    tmp_path: Path, code: int, said: str, kind: type[DiskError]
) -> None:
    path = split_disk(tmp_path)
    run = FakeRun().on(*vdiskmanager.create_argv(("t",), path, 4, 1, "lsilogic"), says=(f"{said}\r\n".encode(), code))
    with pytest.raises(DiskError) as caught:
        create_disk(("t",), path, 4, run=run)
    assert type(caught.value) is kind
    assert said in caught.value.said
    assert caught.value.remedy


def test_a_silent_failure_is_a_failure(tmp_path: Path) -> None:
    path = split_disk(tmp_path)
    run = FakeRun().on(*vdiskmanager.create_argv(("t",), path, 4, 1, "lsilogic"), says=("", 1))
    with pytest.raises(DiskError, match="exit 1"):
        create_disk(("t",), path, 4, run=run)


def test_a_tool_that_cannot_start(tmp_path: Path) -> None:
    path = tmp_path / "a.vmdk"
    run = FakeRun().on(*vdiskmanager.create_argv(("t",), path, 4, 1, "lsilogic"), says=not_started())
    with pytest.raises(ProcessError):
        create_disk(("t",), path, 4, run=run)
