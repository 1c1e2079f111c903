"""Clean-up after a failed power-on, with a fake QEMU."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.system import process_identity
from harness.vmrun_qemu.base import endpoint, home, records
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.disks import consolidation
from harness.vmrun_qemu.disks.vm_directory import VmDirectory
from harness.vmrun_qemu.state import recovery
from harness.vmrun_qemu.supervisor import power_on
from harness.vmrun_qemu.supervisor.running_vm import RunningVm
from harness.vmrun_qemu.vmfiles.vmware_log import VmLog
from harness.vmware import vmdk_descriptor
from harness.vmware.vmx import Vmx


class FakePrepared:
    """One machine without disks."""

    saved = None
    state = None
    machine = SimpleNamespace(drives=[])

    def __init__(self, folder: Path) -> None:
        self.vmx_path = str(folder / "a.vmx")
        self.folder = folder
        self.vmx = Vmx.parse("")
        self.socket_dir = endpoint.new_socket_dir()
        self.locked_files = [folder / "a.vmx"]

    def record(self, supervisor: process_identity.Identity) -> Record:
        return {
            "vmx": self.vmx_path, "phase": "starting", "resumed": False, "supervisor": supervisor,
            "qemu": {"pid": 0, "created": 0.0}, "qmp": "", "service": "", "socket_dir": self.socket_dir,
            "plugs": [], "locks": [], "accelerator": "tcg",
        }  # fmt: skip


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePrepared:
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(tmp_path / "home"))
    (tmp_path / "vm").mkdir()
    (tmp_path / "vm" / "a.vmx").touch()
    made = FakePrepared(tmp_path / "vm")
    monkeypatch.setattr(power_on, "prepare", lambda *_, **__: made)
    monkeypatch.setattr(power_on, "_started", lambda *_: SimpleNamespace(pid=0))
    monkeypatch.setattr(power_on, "_serve", lambda *_: None)
    return made


def nothing_is_left(prepared: FakePrepared) -> bool:
    socket_dir = prepared.socket_dir and Path(prepared.socket_dir).exists()
    locks = list(prepared.folder.glob("*.lck"))
    return not (socket_dir or locks or records.load(home.vm_dir(prepared.vmx_path)))


def test_a_disk_that_is_full_at_the_last_moment_leaves_nothing(
    prepared: FakePrepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Any, phase: str) -> None:
        raise OSError(28, f"no room for {phase}")

    monkeypatch.setattr(RunningVm, "enter", full)
    with pytest.raises(OSError, match="no room for running"):
        power_on.power_on(prepared.vmx_path, VmLog(prepared.folder), gui=False)
    assert nothing_is_left(prepared)


def test_a_socket_directory_is_noted_before_it_is_there(
    prepared: FakePrepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[str] = []

    def killed(path: str) -> None:
        endpoint.make_socket_dir(path)
        record = records.load(home.vm_dir(prepared.vmx_path))
        noted.append(record["socket_dir"] if record else "nothing")
        raise KeyboardInterrupt

    monkeypatch.setattr(power_on, "make_socket_dir", killed)
    monkeypatch.setattr(recovery, "remove_traces", lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        power_on.power_on(prepared.vmx_path, VmLog(prepared.folder), gui=False)
    assert noted == [prepared.socket_dir]
    monkeypatch.undo()
    endpoint.remove_socket_dir(prepared.socket_dir)


def test_a_vm_that_another_program_has_open_is_left_alone(prepared: FakePrepared) -> None:
    folder = prepared.folder / "a.vmx.lck"
    folder.mkdir()
    (folder / "M12345.lck").write_text("winhost 1234-13245678(vmware.exe)", encoding="utf-8")
    with pytest.raises(Failure, match="The file is already in use"):
        power_on.power_on(prepared.vmx_path, VmLog(prepared.folder), gui=False)
    assert (folder / "M12345.lck").exists()
    assert not prepared.socket_dir or not Path(prepared.socket_dir).exists()
    assert process_identity.alive(process_identity.identity(os.getpid()))


@pytest.mark.parametrize("error", [vmdk_descriptor.VmdkError(Path("a.vmdk"), "has no room"), OSError(28, "full")])
def test_a_failed_consolidation_is_logged_and_the_vm_is_used_as_it_is(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vmx = tmp_path / "a.vmx"
    vmx.write_text("", encoding="utf-8")
    (tmp_path / "a.vmsd").write_text('snapshot.needConsolidate = "TRUE"\n', encoding="utf-8")

    def broken(_: VmDirectory, __: object) -> dict[Path, Path]:
        return {tmp_path / "a-000001.vmdk": tmp_path / "a.vmdk"}

    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(VmDirectory, "parents", broken)
    monkeypatch.setattr(vmdk_descriptor, "set_parent", refuse)
    directory = VmDirectory(vmx, Vmx.parse(""))
    assert directory.tree.needs_consolidation
    with pytest.raises(Failure, match="inconsistent state"):
        consolidation.finish_interrupted(directory)
    log = VmLog(tmp_path)
    power_on._finish_consolidation(vmx, log)
    assert "could not be merged" in log.path.read_text(encoding="utf-8")
