"""Preparing a power-on, without starting QEMU."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from needs import posix_modes

from harness.system import process_identity
from harness.vmrun_qemu.base.messages import Failure, PowerOnFailure
from harness.vmrun_qemu.supervisor.prepare import prepare
from harness.vmrun_qemu.vmfiles.vmss import State, write_head
from harness.vmrun_qemu.vmfiles.vmware_log import VmLog
from harness.vmware.vmx import Vmx

pytestmark = posix_modes
VMX = """\
config.version = "8"
virtualHW.version = "19"
guestOS = "other-64"
sata0.present = "TRUE"
sata0:0.present = "TRUE"
sata0:0.fileName = "a.vmdk"
sata0:1.present = "TRUE"
sata0:1.deviceType = "cdrom-image"
sata0:1.fileName = "seed.iso"
ethernet0.present = "TRUE"
ethernet0.connectionType = "hostonly"
ethernet0.startConnected = "FALSE"
ethernet1.present = "TRUE"
ethernet1.connectionType = "bridged"
"""


@pytest.fixture
def vmx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A VM with a disk and a CD, and a fake QEMU."""
    fake_qemu(tmp_path, monkeypatch, "7.2.15")
    monkeypatch.setenv("VMRUN_QEMU_ACCEL", "tcg")
    folder = tmp_path / "vm"
    folder.mkdir()
    (folder / "a.vmdk").write_text("# Disk DescriptorFile\n", encoding="utf-8")
    (folder / "seed.iso").touch()
    (folder / "a.vmx").write_text(VMX, encoding="utf-8")
    return folder / "a.vmx"


def fake_qemu(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    program = folder / "qemu-system-x86_64"
    program.write_text(f"#!/bin/sh\necho QEMU emulator version {version}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("VMRUN_QEMU_BIN", str(program))


def prepared_reason(vmx: Path) -> str:
    with pytest.raises(PowerOnFailure) as caught:
        prepare(str(vmx), VmLog(vmx.parent), gui=False)
    return caught.value.reason


def test_a_vm_is_prepared_with_ids_locks_and_a_record(vmx: Path) -> None:
    prepared = prepare(str(vmx), VmLog(vmx.parent), gui=False)
    assert prepared.argv[0].endswith("qemu-system-x86_64")
    assert prepared.locked_files == [vmx, vmx.parent / "a.vmdk"]
    assert prepared.unplugged == ["ethernet0"]
    assert prepared.vmx.get("uuid.bios")
    assert Vmx.read(vmx).get("uuid.bios") is None, "nothing is written yet"
    record = prepared.record(process_identity.identity(os.getpid()))
    assert [(plug["nic"], plug["vmnet"]) for plug in record["plugs"]] == [("ethernet0", "vmnet1")]
    assert (record["phase"], record["resumed"], record["accelerator"]) == ("starting", False, "tcg")
    assert "ethernet1 starts disconnected" in (vmx.parent / "vmware.log").read_text(encoding="utf-8")


def test_a_missing_file_is_named(vmx: Path) -> None:
    (vmx.parent / "seed.iso").unlink()
    assert prepared_reason(vmx).endswith("depends on, for sata0:1.")
    vmx.write_text(VMX + 'msg.autoAnswer = "TRUE"\n', encoding="utf-8")
    prepared = prepare(str(vmx), VmLog(vmx.parent), gui=False)
    assert [drive.path for drive in prepared.machine.drives if drive.cdrom] == [None]
    (vmx.parent / "a.vmdk").unlink()
    assert prepared_reason(vmx).endswith("depends on, for sata0:0.")


def test_a_broken_backing_chain_is_refused(vmx: Path) -> None:
    text = '# Disk DescriptorFile\nparentFileNameHint="gone.vmdk"\n'
    (vmx.parent / "a.vmdk").write_text(text, encoding="utf-8")
    assert "The parent of this virtual disk could not be opened" in prepared_reason(vmx)


def test_a_suspended_vm_needs_its_memory(vmx: Path) -> None:
    vmx.write_text(VMX + 'checkpoint.vmState = "a.vmss"\n', encoding="utf-8")
    assert "To boot instead, remove checkpoint.vmState" in prepared_reason(vmx)
    state = vmx.parent / "a.vmss"
    for memory, is_usable in ((False, False), (True, True)):
        with state.open("wb") as stream:
            write_head(stream, State(VMX, "UTF-8", memory=memory))
        if is_usable:
            prepared = prepare(str(vmx), VmLog(vmx.parent), gui=False)
            assert (prepared.state, prepared.argv[-3:]) == (state, ["-S", "-incoming", "defer"])
        else:
            assert prepared_reason(vmx) == f"{state} holds no memory"


def test_an_old_qemu_and_an_unreadable_vmx_are_refused(
    vmx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_qemu(tmp_path, monkeypatch, "6.2")
    assert "is version 6.2; 7.2 or newer is needed" in prepared_reason(vmx)
    vmx.write_text("torn", encoding="utf-8")
    with pytest.raises(Failure, match="Cannot read the virtual machine configuration file"):
        prepare(str(vmx), VmLog(vmx.parent), gui=False)
