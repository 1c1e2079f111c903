"""The supervisor process of a VM that does not power on."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from harness.vmrun_qemu.base import daemon, home
from harness.vmrun_qemu.base.daemon import StartReport


def start(vmx: Path, log: Path) -> StartReport:
    arguments = [str(vmx), "nogui"]
    return daemon.start("harness.vmrun_qemu.supervisor.main", arguments, log, timeout_s=60, grace_s=10)


@pytest.fixture
def vmx(tmp_path: Path) -> Path:
    (tmp_path / "vm").mkdir()
    path = tmp_path / "vm" / "a.vmx"
    home.vm_dir(str(path)).mkdir(parents=True)
    return path


def test_a_failure_is_reported_and_logged(vmx: Path, tmp_path: Path) -> None:
    vmx.write_text('config.version = "8"\nguestOS = "other-64"\nfirmware = "efi"\n', encoding="utf-8")
    assert start(vmx, tmp_path / "supervisor.log") == StartReport("Unknown error")
    log = (vmx.parent / "vmware.log").read_text(encoding="utf-8")
    assert "Msg_Post: Error" in log
    assert 'firmware = "efi" is not supported, only "bios"' in log
    assert sorted(file.name for file in vmx.parent.iterdir()) == ["a.vmx", "vmware.log"]


def test_a_refusal_of_vmware_has_its_message_in_the_log(vmx: Path, tmp_path: Path) -> None:
    lines = 'config.version = "8"\nguestOS = "other-64"\nvirtualHW.version = "99"\n'
    vmx.write_text(lines, encoding="utf-8")
    assert start(vmx, tmp_path / "supervisor.log") == StartReport("The operation was canceled")
    log = (vmx.parent / "vmware.log").read_text(encoding="utf-8").partition("Msg_Post: Error")[2]
    assert "[msg.upgrade.tooNewCurrentHWVersion] This virtual machine uses hardware version 99" in log


def test_a_second_supervisor_of_a_vm_is_busy(vmx: Path, tmp_path: Path) -> None:
    vmx.touch()
    with FileLock(home.vm_dir(str(vmx)) / "lock"):
        assert start(vmx, tmp_path / "supervisor.log") == StartReport("The file is already in use", busy=True)
    assert not (vmx.parent / "vmware.log").exists()
