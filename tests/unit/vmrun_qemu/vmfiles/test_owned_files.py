"""Files that belong to a VM."""

from __future__ import annotations

from pathlib import Path

import pytest
from needs import posix_paths

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.vmfiles.owned_files import extents, files_of, free_overlay, used_by_others

DESCRIPTOR = '# Disk DescriptorFile\ncreateType="x"\nRW 4194304 SPARSE "a-s001.vmdk"\nRW 8 FLAT "a-f 2.vmdk" 0\n'
VMX = """\
sata0.present = "TRUE"
sata0:0.present = "TRUE"
sata0:0.fileName = "a.vmdk"
sata0:1.present = "TRUE"
sata0:1.fileName = "{outside}"
sata0:2.present = "TRUE"
sata0:2.deviceType = "cdrom-image"
sata0:2.fileName = "seed.iso"
serial0.present = "TRUE"
serial0.fileType = "file"
serial0.fileName = "serial0.log"
"""


def test_a_vms_files_are_its_own_and_in_its_directory(tmp_path: Path) -> None:
    outside = tmp_path / "shared.vmdk"
    outside.touch()
    folder = tmp_path / "vm"
    folder.mkdir()
    own = [
        "a.vmx",
        "a-0123abcd.vmss",
        "a-Snapshot12.vmsn",
        "a.nvram",
        "vmware.log",
        "vmware-0.log",
        "a-s001.vmdk",
        "a-f 2.vmdk",
        "serial0.log",
    ]
    for name in [*own, "b-0123abcd.vmss", "a-Snapshotx.vmsn", "seed.iso", "notes.txt", "vmware-notes.log", "b.vmdk"]:
        (folder / name).touch()
    (folder / "a.vmdk").write_text(DESCRIPTOR, encoding="utf-8")
    (folder / "a.vmx.lck").mkdir()
    (folder / "a.vmx").write_text(VMX.format(outside=outside.as_posix()), encoding="utf-8")
    assert {file.name for file in files_of(folder / "a.vmx")} == {*own, "a.vmdk", "a.vmx.lck"}


VMWARES = [
    "a.scoreboard", "a-0.scoreboard", "a-39.scoreboard", "a.hlog", "a.vmxf", "a.vmsd", "a.vmss", "a.vmem", "nvram",
    "vprintproxy.log", "vprintproxy-1.log", "vmmcores.gz", "vmware-vmx.dmp", "vmware.log", "vmware-2.log",
    "564d78e2-0fa2-9f22-1ef7-c3b8c2d3b8d5.vmem",
]  # fmt: skip


def test_what_vmware_writes_belongs_to_the_vm(tmp_path: Path) -> None:
    (tmp_path / "a.vmx").write_text('uuid.bios = "56 4d 78 e2 0f a2 9f 22-1e f7 c3 b8 c2 d3 b8 d5"\n', encoding="utf-8")
    for name in (*VMWARES, "00000000-0fa2-9f22-1ef7-c3b8c2d3b8d5.vmem", "b.scoreboard", "vmware.log.txt", "A.VMX.txt"):
        (tmp_path / name).touch()
    lock = tmp_path / "564d78e2-0fa2-9f22-1ef7-c3b8c2d3b8d5.vmem.lck"
    lock.mkdir()
    (lock / "M12345.lck").touch()
    assert {file.name for file in files_of(tmp_path / "a.vmx")} == {*VMWARES, "a.vmx", lock.name}
    (tmp_path / "OTHER.VMX").touch()
    assert {file.name for file in files_of(tmp_path / "a.vmx")} == {"a.vmx"} | {
        name for name in VMWARES if name.startswith("a")
    }


@posix_paths
def test_a_name_with_a_line_end_is_no_log(tmp_path: Path) -> None:
    for name in ("a.vmx", "vmware.log\n"):
        (tmp_path / name).touch()
    assert files_of(tmp_path / "a.vmx") == [tmp_path / "a.vmx"]


def test_a_lock_directory_with_something_else_and_a_foreign_extent_stay(tmp_path: Path) -> None:
    (tmp_path / "a.vmx").write_text(VMX.format(outside="none.vmdk"), encoding="utf-8")
    (tmp_path / "a.vmdk").write_text('# Disk DescriptorFile\nRW 8 FLAT "photo.jpg" 0\nRW 8 FLAT "b.vmdk" 0\n')
    (tmp_path / "a.nvram").touch()
    (tmp_path / "a.nvram.lck").mkdir()
    for name in ("photo.jpg", "b.vmdk", "a.nvram.lck/thesis.doc"):
        (tmp_path / name).touch()
    assert {file.name for file in files_of(tmp_path / "a.vmx")} == {"a.vmx", "a.vmdk", "a.nvram"}


def test_the_disks_of_another_vmx_that_cannot_be_read_are_not_known(tmp_path: Path) -> None:
    for name in ("a.vmx", "B.VMX"):
        (tmp_path / name).write_text("<html>\n")
    with pytest.raises(Failure, match=r"B\.VMX"):
        used_by_others(tmp_path / "a.vmx")


def test_the_parents_of_another_vms_disk_that_cannot_be_read_are_not_known(tmp_path: Path) -> None:
    (tmp_path / "a.vmx").write_text(VMX.format(outside="none.vmdk"), encoding="utf-8")
    (tmp_path / "b.vmx").write_text(VMX.format(outside="none.vmdk").replace("a.vmdk", "b.vmdk"), encoding="utf-8")
    (tmp_path / "b.vmdk").write_bytes(bytes(600))
    with pytest.raises(Failure, match=r"b\.vmdk, Cannot read the virtual disk"):
        used_by_others(tmp_path / "a.vmx")
    disk_file(tmp_path / "b.vmdk", parent="a.vmdk")
    assert {file.name for file in used_by_others(tmp_path / "a.vmx")} >= {"b.vmdk", "a.vmdk"}


def test_a_directory_that_the_vmx_names_is_no_file_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "precious").touch()
    vmx = tmp_path / "a.vmx"
    lines = 'serial0.present = "TRUE"\nserial0.fileType = "file"\nserial0.fileName = "logs"\n'
    vmx.write_text(lines, encoding="utf-8")
    assert files_of(vmx) == [vmx]


def disk_file(disk: Path, parent: str = "") -> None:
    hint = f'parentFileNameHint="{parent}"\n' if parent else ""
    disk.write_text(f'# Disk DescriptorFile\ncreateType="x"\n{hint}', encoding="utf-8")


def test_a_disk_belongs_to_a_chain_by_what_it_says_and_not_by_its_name(tmp_path: Path) -> None:
    chain = {"a.vmdk": "", "a-000001.vmdk": "a.vmdk", "a-000002.vmdk": "a-000001.vmdk", "a-000003.vmdk": "a.vmdk"}
    others = {"a-000004.vmdk": "", "a-000005.vmdk": "b.vmdk", "b.vmdk": "", "c.vmdk": "a.vmdk"}
    for name, parent in {**chain, **others}.items():
        disk_file(tmp_path / name, parent)
    vmx = tmp_path / "a.vmx"
    line = 'sata0.present = "TRUE"\nsata0:0.present = "TRUE"\nsata0:0.fileName = "a-000001.vmdk"\n'
    vmx.write_text(line, encoding="utf-8")
    assert {file.name for file in files_of(vmx)} == {"a.vmx", *chain}


def test_a_vmx_that_cannot_be_read_owns_nothing(tmp_path: Path) -> None:
    vmx = tmp_path / "a.vmx"
    vmx.write_text("nonsense\n", encoding="utf-8")
    with pytest.raises(Failure, match="Cannot read the virtual machine configuration file"):
        files_of(vmx)


def test_extents_are_named_by_the_descriptor_alone(tmp_path: Path) -> None:
    disk = tmp_path / "a.vmdk"
    disk.write_text(DESCRIPTOR, encoding="utf-8")
    assert [file.name for file in extents(disk)] == ["a-s001.vmdk", "a-f 2.vmdk"]
    disk.write_bytes(b"KDMV" + DESCRIPTOR.encode())
    assert extents(disk) == []
    assert extents(tmp_path / "none.vmdk") == []


@pytest.mark.parametrize("name", ["../b-flat.vmdk", "/dev/sdb", "sub/b-flat.vmdk", r"C:\\b.vmdk", r"..\\b.vmdk", ".."])
def test_an_extent_elsewhere_is_not_the_disks(name: str, tmp_path: Path) -> None:
    disk = tmp_path / "vm" / "a.vmdk"
    disk.parent.mkdir()
    disk.write_text(DESCRIPTOR + f'RW 8 FLAT "{name}" 0\n', encoding="utf-8")
    assert [file.name for file in extents(disk)] == ["a-s001.vmdk", "a-f 2.vmdk"]


def test_the_first_free_name_is_that_of_the_next_overlay(tmp_path: Path) -> None:
    for name in ("d.vmdk", "d-000001.vmdk", "d-000003.vmdk", "e-1.vmdk"):
        (tmp_path / name).touch()
    assert free_overlay(tmp_path / "d.vmdk", tmp_path).name == "d-000002.vmdk"
    assert free_overlay(tmp_path / "d-000003.vmdk", tmp_path).name == "d-000002.vmdk"
    assert free_overlay(Path("/else/where/e-1.vmdk"), tmp_path).name == "e-1-000001.vmdk"
