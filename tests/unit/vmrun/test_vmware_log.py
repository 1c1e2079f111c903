from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.text import decode
from harness.vmrun.vmware_log import LogPosition, error_box, monitor_mode


def test_boxes_of_old_and_new_logs() -> None:
    old = (
        "Jan 24 00:37:47: vmx| Msg_Post: Error\n"
        'Jan 24 00:37:47: vmx| [msg.disk.fileNotFound] VMware Player cannot find the virtual disk "a.vmdk".\n'
        "Jan 24 00:37:47: vmx| [msg.disk.configureDiskError] Reason: The system cannot find the file specified."
        "----------------------------------------\n"
        "Jan 24 00:38:08: vmx| Module DiskEarly power on failed.\n"
    )
    box = error_box(old)
    assert box.startswith('VMware Player cannot find the virtual disk "a.vmdk". Reason:')
    assert box.endswith("specified.")
    assert error_box("nothing here") == ""
    assert error_box("x Msg_Post: Error") == ""


@settings(deadline=None)
@given(st.binary())
def test_any_log_can_be_read(data: bytes) -> None:
    text = decode(data)
    assert isinstance(error_box(text), str)
    assert isinstance(error_box("vmx Msg_Post: Error\n" + text), str)


def test_only_a_box_after_the_position_counts(tmp_path: Path) -> None:
    box = "vmx Msg_Post: Error\nvmx [msg.x] %s\nvmx ----\n"
    log, vmx = tmp_path / "vmware.log", tmp_path / "a.vmx"
    before = LogPosition.beside(vmx)
    assert before.last_error() == ""
    log.write_text(box % "first")
    assert before.last_error() == "first"
    position = LogPosition.beside(vmx)
    assert position.last_error() == ""
    with log.open("a") as stream:
        stream.write(box % "second")
    assert position.last_error() == "second"


def test_a_new_log_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "vmware.log"
    log.write_text("old\n" * 100)
    position = LogPosition.beside(tmp_path / "a.vmx")
    log.rename(tmp_path / "vmware-0.log")
    log.write_text("vmx Msg_Post: Error\nvmx [msg.x] new\n" + "more\n" * 100)
    assert position.last_error().startswith("new")


def test_a_question_is_the_reason_too() -> None:
    """As a real vmware.log of Workstation 17 marks it."""
    log = (
        "2026-02-03T10:11:12.345Z In(05) vmx Msg_Question:\n"
        "2026-02-03T10:11:12.345Z In(05) vmx [msg.serial.file.open] The file serial-1.log exists.\n"
        "2026-02-03T10:11:12.345Z In(05)+ vmx \n"
        "2026-02-03T10:11:12.345Z In(05)+ vmx Replace it or append to it?\n"
        "2026-02-03T10:11:12.345Z In(05) vmx ----------------------------------------\n"
        "2026-02-03T10:11:12.345Z In(05) vmx MsgQuestion: msg.serial.file.open reply=2\n"
    )
    assert error_box(log) == "The file serial-1.log exists. Replace it or append to it?"
    unended = log.replace("----------------------------------------", "")
    assert error_box(unended) == "The file serial-1.log exists. Replace it or append to it?"


def test_the_mode_of_the_monitor_is_in_the_log(tmp_path: Path) -> None:
    log, vmx = tmp_path / "vmware.log", tmp_path / "a.vmx"
    assert monitor_mode(vmx) == ""
    log.write_text("2026-01-01T00:00:00.000Z In(05) vmx IOPL_Init: Hyper-V detected by CPUID\n")
    assert monitor_mode(vmx) == ""
    with log.open("a") as stream:
        stream.write("2026-01-01T00:00:01.000Z In(05) vmx Monitor Mode: ULM\r\n")
    assert monitor_mode(vmx) == "ULM"
    log.write_text("vmx| Monitor Mode: CPL0\n")
    assert monitor_mode(vmx) == "CPL0"
