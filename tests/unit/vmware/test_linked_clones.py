from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest
from needs import posix_paths

from harness.core.errors import HostError
from harness.vmware.linked_clones import Clone, clones_of, sibling_vmx_files, vms_using_disks_in, vms_using_files
from harness.vmware.vmdk_descriptor import HEADER, MAGIC

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


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Return the directory of our VM with its disk, and the VMX of a neighbour to be written."""
    for name in ("m1", "mine"):
        (tmp_path / name).mkdir()
    (tmp_path / "m1" / "m1.vmdk").write_text(DESCRIPTOR)
    return tmp_path / "m1", tmp_path / "mine" / "mine.vmx"


UNREADABLE_VMX = {
    "unknown charset": b'.encoding = "no-such-charset"\n',
    "NUL in the charset": b'.encoding = "UTF-8\0x"\nscsi0:0.fileName = "../m1/m1.vmdk"\n',
    "bytes that are not of the charset": b'.encoding = "UTF-8"\ndisplayName = "\xb0\xa1"\n',
    "UTF-16": 'scsi0:0.fileName = "../m1/m1.vmdk"\n'.encode("utf-16"),
    "malformed": b"<html>\n",
    "zeros after a power loss": b"\0" * 4096,
    "encrypted": b'displayName = "secret"\nencryption.keySafe = "vmware:key/list/x"\nencryption.data = "AAAA"\n',
    "empty": b"",
}


@pytest.mark.parametrize("data", UNREADABLE_VMX.values(), ids=UNREADABLE_VMX)
def test_the_disks_of_a_vmx_that_cannot_be_read_are_not_known(pair: tuple[Path, Path], data: bytes) -> None:
    directory, vmx = pair
    vmx.write_bytes(data)
    with pytest.raises(HostError, match="not known") as caught:
        vms_using_disks_in(directory, sibling_vmx_files(directory))
    assert caught.value.where == str(vmx)
    assert str(vmx) in caught.value.remedy


def test_a_neighbour_in_a_windows_charset_uses_the_disk(pair: tuple[Path, Path]) -> None:
    directory, vmx = pair
    vmx.write_bytes(
        b'.encoding = "windows-949-2000"\ndisplayName = "\xb3\xbb | "\nscsi0:0.fileName = "../m1/m1.vmdk"\n'
    )
    assert vms_using_disks_in(directory, sibling_vmx_files(directory)) == (vmx,)


def test_a_directory_named_as_a_vmx_is_not_a_vmx_that_can_be_read(pair: tuple[Path, Path]) -> None:
    directory, vmx = pair
    vmx.mkdir()
    with pytest.raises(HostError, match="not known"):
        vms_using_disks_in(directory, sibling_vmx_files(directory))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no FIFO in a directory")
def test_a_fifo_is_not_waited_for(pair: tuple[Path, Path]) -> None:
    directory, vmx = pair
    os.mkfifo(vmx)
    with pytest.raises(HostError, match="not a regular file"):
        vms_using_disks_in(directory, sibling_vmx_files(directory))
    vmx.unlink()
    vmx.write_text('scsi0:0.fileName = "disk.vmdk"\n')
    os.mkfifo(vmx.with_name("disk.vmdk"))
    with pytest.raises(HostError, match="not a regular file"):
        vms_using_disks_in(directory, sibling_vmx_files(directory))


def test_a_huge_file_is_not_read(pair: tuple[Path, Path]) -> None:
    directory, vmx = pair
    with vmx.open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(HostError, match="larger than"):
        vms_using_disks_in(directory, sibling_vmx_files(directory))


def test_an_upper_case_ending_is_a_vmx_too(pair: tuple[Path, Path]) -> None:
    directory, vmx = pair
    upper = vmx.with_name("MINE.VMX")
    upper.write_text('scsi0:0.fileName = "../m1/m1.vmdk"\n')
    beside = directory.parent / "beside.vmx"
    beside.write_text('scsi0:0.fileName = "m1/m1.vmdk"\n')
    assert vms_using_disks_in(directory, sibling_vmx_files(directory)) == (beside, upper)


def test_a_sibling_directory_that_cannot_be_listed_is_an_error(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, vmx = pair
    listdir = os.listdir

    def refuse(path: Path) -> list[str]:
        if Path(path) == vmx.parent:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(HostError, match="Permission denied") as caught:
        sibling_vmx_files(directory)
    assert caught.value.where == str(vmx.parent)


BROKEN_DISKS = {
    "empty": b"",
    "no descriptor": b'CID=1\nparentFileNameHint="../m1/m1.vmdk"\n',
    "header cut": b"KDMV\1\0",
    "a piece of a disk": HEADER.pack(MAGIC, 1, 3, 8, 8, 0, 0).ljust(512, b"\0"),
    "NUL in a name": DESCRIPTOR.encode() + b'parentFileNameHint="../m1/\0m1.vmdk"\n',
}


@pytest.mark.parametrize("data", BROKEN_DISKS.values(), ids=BROKEN_DISKS)
def test_the_backing_chain_of_a_disk_that_cannot_be_read_is_not_known(pair: tuple[Path, Path], data: bytes) -> None:
    directory, vmx = pair
    vmx.write_text('scsi0:0.fileName = "disk.vmdk"\n')
    vmx.with_name("disk.vmdk").write_bytes(data)
    with pytest.raises(HostError, match="not known") as caught:
        vms_using_disks_in(directory, (vmx,))
    assert str(vmx.with_name("disk.vmdk")) in str(caught.value)


def test_a_disk_that_is_gone_or_a_cd_uses_nothing(pair: tuple[Path, Path]) -> None:
    directory, vmx = pair
    vmx.write_text(
        'scsi0:0.fileName = "gone.vmdk"\nide0:0.deviceType = "cdrom-image"\nide0:0.fileName = "a.iso"\n'
        'ide0:1.fileName = "auto detect"\nide1:0.fileName = ""\nide1:1.fileName = "b.iso"\n'
    )
    for name in ("a.iso", "b.iso"):
        vmx.with_name(name).write_bytes(b"\0" * 512)
    assert vms_using_disks_in(directory, (vmx,)) == ()


def test_a_disk_whose_pieces_are_in_the_directory_uses_it(pair: tuple[Path, Path]) -> None:
    directory, vmx = pair
    vmx.write_text('scsi0:0.fileName = "disk.img"\n')
    vmx.with_name("disk.img").write_text(DESCRIPTOR + 'RW 8 FLAT "../m1/m1-flat.vmdk" 0\n')
    assert vms_using_disks_in(directory, (vmx,)) == (vmx,)


def test_a_machine_whose_disk_is_encrypted_but_named_is_followed(pair: tuple[Path, Path]) -> None:
    directory, vmx = pair
    keys = 'encryption.keySafe = "vmware:key/list/x"\nencryption.data = "AAAA"\n'
    vmx.write_text(keys + 'nvme0:0.fileName = "disk.vmdk"\n')
    vmx.with_name("disk.vmdk").write_text(DESCRIPTOR)
    assert vms_using_disks_in(directory, (vmx,)) == ()


def test_another_vm_in_the_same_directory_uses_its_disks(pair: tuple[Path, Path]) -> None:
    directory, _ = pair
    beside = directory / "other.vmx"
    beside.write_text('scsi0:0.fileName = "m1.vmdk"\n')
    own = [directory / "m1.vmdk"]
    assert vms_using_files(own, (beside,)) == (beside,)
    beside.write_text('scsi0:0.fileName = "other.vmdk"\n')
    assert vms_using_files(own, (beside,)) == ()
    beside.write_text("<html>\n")
    with pytest.raises(HostError, match="not known"):
        vms_using_files(own, (beside,))


@posix_paths  # Windows reports a name that is too long as missing
def test_a_clone_that_cannot_be_looked_at_is_not_gone(pair: tuple[Path, Path]) -> None:
    directory, _ = pair
    (directory / "m1.vmsd").write_text('snapshot0.clone0 = "' + "c" * 5000 + '.vmx"\n')
    with pytest.raises(HostError, match="not known"):
        vms_using_disks_in(directory, ())
