"""The files and the identity of a clone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.disks import clones
from harness.vmrun_qemu.disks.qemu_img import DiskError
from harness.vmware.vmx import Vmx

SOURCE = """\
displayName = "one"
uuid.bios = "56 4d 00 00 00 00 00 00-00 00 00 00 00 00 00 01"
uuid.location = "56 4d 00 00 00 00 00 00-00 00 00 00 00 00 00 02"
checkpoint.vmState = "one-Snapshot1.vmsn"
nvram = "one.nvram"
sata0:0.fileName = "one.vmdk"
sata0:1.deviceType = "cdrom-image"
sata0:1.fileName = "seed.iso"
ethernet0.generatedAddress = "00:0c:29:00:00:01"
ethernet1.address = "00:50:56:00:00:01"
serial0.fileName = "/vms/one/serial0.log"
"""


def contents(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("name", ["b.vmx", "b.vmdk", "b-s001.vmdk", "b-1.vmdk", "b.nvram", "b.vmxf", "b.vmsd"])
def test_what_is_there_already_is_kept_and_refused(name: str, tmp_path: Path, *, linked: bool) -> None:
    def write(_disk: Path, target: Path) -> None:
        target.write_text("disk", encoding="utf-8")

    source, folder = tmp_path / "one" / "one.vmx", tmp_path / "two"
    for item in (source.parent, folder):
        item.mkdir()
    source.with_suffix(".nvram").touch()
    (folder / name).write_text("precious", encoding="utf-8")
    request = clones.CloneRequest(
        Vmx.parse(SOURCE), (("sata0:0", Path("/a")), ("sata0:2", Path("/b"))), folder / "b.vmx", "b"
    )
    with pytest.raises(Failure, match="The file already exists"):
        clones.make(request, source, linked=linked, make_disk=write)
    assert contents(folder) == {name: "precious"}


def test_a_clone_that_fails_takes_away_what_it_made_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "new" / "two" / "b.vmx"

    def fake_copy(disk: Path, copy: Path) -> None:
        copy.write_text("copy", encoding="utf-8")
        if disk == Path("/b"):
            (target.parent / "notes.txt").write_text("precious", encoding="utf-8")
            raise DiskError("full")

    (tmp_path / "one").mkdir()
    request = clones.CloneRequest(Vmx.parse(SOURCE), (("sata0:0", Path("/a")), ("sata0:2", Path("/b"))), target, "b")
    with pytest.raises(Failure, match="full"):
        clones.make(request, tmp_path / "one" / "one.vmx", linked=False, make_disk=fake_copy)
    assert contents(target.parent) == {"notes.txt": "precious"}
    (target.parent / "notes.txt").unlink()
    target.parent.rmdir()
    target.parent.parent.rmdir()
    request = replace(request, disks=(("sata0:0", Path("/b")),))

    def breaks(_disk: Path, _target: Path) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        clones.make(request, tmp_path / "one" / "one.vmx", linked=False, make_disk=breaks)
    assert not (tmp_path / "new").exists()


def test_a_clone_has_an_identity_of_its_own(tmp_path: Path) -> None:
    def fake_copy(disk: Path, target: Path) -> None:
        target.write_text(str(disk), encoding="utf-8")

    source, target = tmp_path / "one" / "one.vmx", tmp_path / "two" / "two.vmx"
    source.parent.mkdir()
    source.with_suffix(".nvram").write_text("settings of the firmware", encoding="utf-8")
    request = clones.CloneRequest(
        Vmx.parse(SOURCE), (("sata0:0", Path("/a")), ("sata0:2", Path("/b"))), target, "second"
    )
    clones.make(request, source, linked=False, make_disk=fake_copy)
    vmx = Vmx.read(target)
    wanted = {
        "displayName": "second",
        "uuid.location": None,
        "checkpoint.vmState": "",
        "nvram": "two.nvram",
        "sata0:0.fileName": "two.vmdk",
        "sata0:1.fileName": str(source.parent / "seed.iso"),
        "sata0:2.fileName": "two-1.vmdk",
        "ethernet0.generatedAddress": None,
        "ethernet1.address": "00:50:56:00:00:01",
        "serial0.fileName": "serial0.log",
    }
    assert {key: vmx.get(key) for key in wanted} == wanted
    assert vmx.get("uuid.bios") != Vmx.parse(SOURCE).get("uuid.bios")
    names = {file.name for file in target.parent.iterdir()}
    assert names == {"two.vmx", "two.vmdk", "two-1.vmdk", "two.nvram"}


def test_a_clone_never_names_the_files_of_its_source(tmp_path: Path) -> None:
    """Not even a file that VMware has not written yet."""
    source, target = tmp_path / "one" / "one.vmx", tmp_path / "two" / "two.vmx"
    source.parent.mkdir()
    clones.make(clones.CloneRequest(Vmx.parse(SOURCE), (), target, "second"), source, linked=False, make_disk=print)
    assert Vmx.read(target).get("nvram") == "two.nvram"
