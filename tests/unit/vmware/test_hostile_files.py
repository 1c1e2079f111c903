"""Damaged and hostile VMX, VMSD and VMDK files: a value or the reader's own error, at once."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from fake_disk import descriptor, header
from hypothesis import HealthCheck, given, settings
from mutations import damaged

from harness.core.errors import HostError
from harness.vmware import vmdk_descriptor
from harness.vmware.linked_clones import clones_of, sibling_vmx_files, vms_using_disks_in
from harness.vmware.vmdk import DiskError, inspect_disk
from harness.vmware.vmdk_descriptor import VmdkError, overlays_of, parent_of, read, set_parent
from harness.vmware.vmx import Vmx, VmxError

pytestmark = pytest.mark.timeout(60)  # each of these has run for minutes
FUZZ = settings(max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
VMX = (
    b'.encoding = "UTF-8"\r\nconfig.version = "8"\r\ndisplayName = "a|22b"\r\nmemsize = 4096 # bare\r\n'
    b'sata0:0.present = "TRUE"\r\nsata0:0.fileName = "machine.vmdk"\r\nethernet0.present = "TRUE"\r\n'
)
KOREAN = '.encoding = "windows-949-2000"\ndisplayName = "실험 | 서버"\nannotation = "|b0|a1"\n'.encode("cp949")
VMSD = (
    b'.encoding = "windows-1252"\nsnapshot.lastUID = "2"\nsnapshot.current = "2"\nsnapshot.numSnapshots = "2"\n'
    b'snapshot0.uid = "1"\nsnapshot0.displayName = "base"\nsnapshot0.numClones = "1"\nsnapshot0.clone0 = "clone.vmx"\n'
)
SPARSE = descriptor("monolithicSparse", 'RW 4096 SPARSE "machine.vmdk"').encode()
ONE_FILE = header(4096, 1, 4) + SPARSE.ljust(2048, b"\0") + b"data"
OVERLAY = descriptor("twoGbMaxExtentSparse", 'RW 4096 SPARSE "x-s001.vmdk"', "RW 8 ZERO").replace(
    "parentCID=", 'parentFileNameHint="machine.vmdk"\r\nparentCID='
)


@FUZZ
@given(damaged([VMX, KOREAN, VMSD]))
def test_any_bytes_are_a_vmx_that_keeps_them_or_a_vmx_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "machine.vmx"
    path.write_bytes(data)
    try:
        vmx = Vmx.read(path)
        kept = vmx.encode()
    except VmxError:
        return
    assert kept == data.removeprefix(b"\xef\xbb\xbf")
    with contextlib.suppress(VmxError):
        vmx.set("annotation", 'x\n"|#')
        vmx.write(path)
        assert Vmx.read(path).get("annotation") == 'x\n"|#'


@FUZZ
@given(damaged([VMSD, VMX]), damaged([VMX]), damaged([ONE_FILE, SPARSE, OVERLAY.encode()]))
def test_any_bytes_in_the_files_of_a_machine_are_its_clones_or_a_host_error(
    tmp_path: Path, vmsd: bytes, vmx: bytes, disk: bytes
) -> None:
    home = tmp_path / "machine"
    home.mkdir(exist_ok=True)
    (home / "machine.vmsd").write_bytes(vmsd)
    (home / "machine.vmx").write_bytes(VMX)
    other = tmp_path / "other"
    other.mkdir(exist_ok=True)
    (other / "other.vmx").write_bytes(vmx)
    (other / "machine.vmdk").write_bytes(disk)
    with contextlib.suppress(HostError):
        clones_of(home / "machine.vmx")
    with contextlib.suppress(HostError):
        vms_using_disks_in(home, sibling_vmx_files(home))


@FUZZ
@given(damaged([ONE_FILE, SPARSE, OVERLAY.encode()]))
def test_any_bytes_are_a_disk_or_a_vmdk_error(tmp_path: Path, data: bytes) -> None:
    disk, parent = tmp_path / "machine.vmdk", tmp_path / "parent.vmdk"
    disk.write_bytes(data)
    parent.write_bytes(SPARSE)
    with contextlib.suppress(DiskError):
        inspect_disk(disk)
    with contextlib.suppress(VmdkError):
        parent_of(disk)
    with contextlib.suppress(VmdkError):
        overlays_of(parent)
    with contextlib.suppress(VmdkError):
        set_parent(disk, parent)


@pytest.mark.parametrize(
    "data",
    [
        b"\n" * (1 << 20),
        b" \t" * (1 << 21) + b"x",
        b"a = " + b" " * (1 << 20) + b"x y",
        b"a" + b" " * (1 << 20) + b"b",
        b".encoding = " + b" " * (1 << 20) + b"\x01x y",
        b"a = \n" * (1 << 20),
        b"x" * (1 << 22),
    ],
    ids=["line ends", "blanks", "blanks before a value", "blanks in a key", "blanks before a charset", "keys", "word"],
)
def test_a_vmx_that_no_program_writes_is_read_or_refused_at_once(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "machine.vmx"
    path.write_bytes(data)
    with pytest.raises(VmxError) as caught:
        Vmx.read(path)
    assert len(str(caught.value)) < 1000


def test_the_clones_of_a_long_vmsd_are_found_at_once(tmp_path: Path) -> None:
    lines = "".join(f'snapshot{number}.clone0 = "clone{number}.vmx"\n' for number in range(10_000))
    (tmp_path / "machine.vmsd").write_text(lines, encoding="utf-8")
    assert clones_of(tmp_path / "machine.vmx") == ()


@pytest.mark.parametrize(
    "line",
    ["CID=" + " " * 900_000 + '"x" y', "CID" + " " * 900_000 + "x", "CID\n" * 200_000],
    ids=["quote", "no sign", "lines"],
)
def test_a_descriptor_of_blanks_is_read_at_once(tmp_path: Path, line: str) -> None:
    disk = tmp_path / "machine.vmdk"
    disk.write_text(f'# Disk DescriptorFile\n{line}\ncreateType="x"\n', encoding="utf-8")
    found = read(disk)
    assert (found.get("CID"), found.get("createType")) == ("", "x")
    assert found.with_setting("CID", "1", quoted=False).get("CID") == "1"


@pytest.mark.parametrize(("offset", "size"), [(1 << 63, 1), (1 << 54, 4), (100, 4), (1, 1 << 60), (1, 0)])
def test_a_header_that_points_outside_of_the_file_is_damaged(tmp_path: Path, offset: int, size: int) -> None:
    disk = tmp_path / "machine.vmdk"
    disk.write_bytes(header(4096, offset, size) + SPARSE)
    with pytest.raises(VmdkError, match="header is damaged"):
        read(disk)


@pytest.mark.parametrize(
    ("name", "codec", "file"),
    [("windows-949-2000", "cp949", "실험"), ("Shift_JIS", "cp932", "①髙"), ("UTF-8", "utf-8", "é")],
)
def test_a_descriptor_in_the_charset_of_a_windows_host_names_its_pieces(
    tmp_path: Path, name: str, codec: str, file: str
) -> None:
    disk = tmp_path / "machine.vmdk"
    text = descriptor("twoGbMaxExtentSparse", f'RW 8 SPARSE "{file}-s001.vmdk"')
    data = text.replace("version=1", f'version=1\r\nencoding="{name}"').encode(codec)
    disk.write_bytes(data)
    found = vmdk_descriptor.read(disk)
    assert [extent.name for extent in found.extents] == [f"{file}-s001.vmdk"]
    vmdk_descriptor.write(disk, found)
    assert disk.read_bytes() == data


@pytest.mark.parametrize("name", ["punycode", "unicode_escape", "utf-7", "idna", "rot13", "a\x01b", "undefined"])
def test_a_descriptor_in_no_charset_of_vmware_keeps_its_bytes(tmp_path: Path, name: str) -> None:
    disk = tmp_path / "machine.vmdk"
    data = f'# Disk DescriptorFile\nencoding="{name}"\ncreateType="x"\n# '.encode() + b"\x81\x8d\xff\n"
    disk.write_bytes(data)
    vmdk_descriptor.write(disk, read(disk))
    assert disk.read_bytes() == data


def test_a_piece_whose_name_has_a_nul_is_no_usable_disk(tmp_path: Path) -> None:
    disk = tmp_path / "machine.vmdk"
    disk.write_text(descriptor("twoGbMaxExtentSparse", 'RW 8 SPARSE "a\0b.vmdk"'), encoding="utf-8")
    with pytest.raises(DiskError, match=r"cannot be read|no extent"):  # on POSIX, on Windows
        inspect_disk(disk)


def test_a_piece_of_a_size_without_bounds_is_no_extent(tmp_path: Path) -> None:
    disk = tmp_path / "machine.vmdk"
    disk.write_text(descriptor("twoGbMaxExtentSparse", f'RW {"9" * 5000} SPARSE "a.vmdk"'), encoding="utf-8")
    with pytest.raises(DiskError, match="no extent"):
        inspect_disk(disk)
