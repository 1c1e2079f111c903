"""Clean-up after a failed power-on, with a fake QEMU."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.system import process_identity
from harness.vmrun_qemu.base import endpoint, home, records
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.disks import consolidation
from harness.vmrun_qemu.disks.vm_directory import VmDirectory
from harness.vmrun_qemu.supervisor import power_on
from harness.vmrun_qemu.vmfiles.vmware_log import VmLog
from harness.vmware.vmx import Vmx


class FakePrepared:
    """One machine without disks."""

    saved = None
    state = None
    machine = SimpleNamespace(drives=[])
    record_type: type[dict[str, Any]] = dict

    def __init__(self, folder: Path) -> None:
        self.vmx_path = str(folder / "a.vmx")
        self.folder = folder
        self.vmx = Vmx.parse("")
        self.socket_dir = endpoint.new_socket_dir()
        self.locked_files = [folder / "a.vmx"]

    def record(self, supervisor: process_identity.Identity) -> Record:
        return cast("Record", self.record_type({
            "vmx": self.vmx_path, "phase": "starting", "resumed": False, "supervisor": supervisor,
            "qemu": {"pid": 0, "created": 0.0}, "qmp": "", "service": "", "socket_dir": self.socket_dir,
            "plugs": [], "locks": [], "accelerator": "tcg",
        }))  # fmt: skip


@pytest.fixture
def prepared(tmp_path: Path) -> FakePrepared:
    (tmp_path / "vm").mkdir()
    (tmp_path / "vm" / "a.vmx").touch()
    return FakePrepared(tmp_path / "vm")


def start(prepared: FakePrepared, make_socket_dir: Callable[[str], None] = endpoint.make_socket_dir) -> None:
    """Start the VM without QEMU and request server."""
    steps = power_on.Steps(
        make_socket_dir, cast("Any", lambda *_: SimpleNamespace(pid=0)), cast("Any", lambda *_: None)
    )
    power_on.start_prepared(cast("Any", prepared), VmLog(prepared.folder), steps)


def nothing_is_left(prepared: FakePrepared) -> bool:
    socket_dir = prepared.socket_dir and Path(prepared.socket_dir).exists()
    locks = list(prepared.folder.glob("*.lck"))
    return not (socket_dir or locks or records.load(home.vm_dir(prepared.vmx_path)))


class FullDisk(dict[str, Any]):
    """A record for whose last phase the disk has no room."""

    def __setitem__(self, key: str, value: Any) -> None:
        if (key, value) == ("phase", "running"):
            raise OSError(28, f"no room for {value}")
        super().__setitem__(key, value)


def test_a_disk_that_is_full_at_the_last_moment_leaves_nothing(prepared: FakePrepared) -> None:
    prepared.record_type = FullDisk
    with pytest.raises(OSError, match="no room for running"):
        start(prepared)
    assert nothing_is_left(prepared)


def test_a_socket_directory_is_noted_before_it_is_there(prepared: FakePrepared) -> None:
    noted: list[str] = []

    def killed(_: str) -> None:
        record = records.load(home.vm_dir(prepared.vmx_path))
        noted.append(record["socket_dir"] if record else "nothing")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start(prepared, killed)
    assert noted == [prepared.socket_dir]


def test_a_vm_that_another_program_has_open_is_left_alone(prepared: FakePrepared) -> None:
    folder = prepared.folder / "a.vmx.lck"
    folder.mkdir()
    (folder / "M12345.lck").write_text("winhost 1234-13245678(vmware.exe)", encoding="utf-8")
    with pytest.raises(Failure, match="The file is already in use"):
        start(prepared)
    assert (folder / "M12345.lck").exists()
    assert not prepared.socket_dir or not Path(prepared.socket_dir).exists()
    assert process_identity.alive(process_identity.identity(os.getpid()))


@pytest.mark.parametrize("parent", ["not a disk", None])
def test_a_failed_consolidation_is_logged_and_the_vm_is_used_as_it_is(parent: str | None, tmp_path: Path) -> None:
    vmx = tmp_path / "a.vmx"
    disk = 'sata0.present = "TRUE"\nsata0:0.present = "TRUE"\nsata0:0.fileName = "a-000001.vmdk"\n'
    vmx.write_text(disk, encoding="utf-8")
    (tmp_path / "a.vmsd").write_text('snapshot.needConsolidate = "TRUE"\n', encoding="utf-8")
    overlay = '# Disk DescriptorFile\nparentFileNameHint="a.vmdk"\n'
    (tmp_path / "a-000001.vmdk").write_text(overlay, encoding="utf-8")
    if parent is not None:
        (tmp_path / "a.vmdk").write_text(parent, encoding="utf-8")
    directory = VmDirectory(vmx, Vmx.read(vmx))
    assert directory.tree.needs_consolidation
    with pytest.raises(Failure, match="inconsistent state"):
        consolidation.finish_interrupted(directory)
    log = VmLog(tmp_path)
    power_on.finish_consolidation(vmx, log)
    assert "could not be merged" in log.path.read_text(encoding="utf-8")
